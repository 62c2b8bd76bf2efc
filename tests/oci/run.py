#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""run.py ARCHIVE ROOT [PATTERN]: is the OCI image valid, is in it what belongs there and nothing else, does that run?

ROOT is what it was made of. EGB_RESULTS names a file for the results. Runs in the build root, where the image was made.
"""

import contextlib
import gzip
import hashlib
import io
import json
import os
import pathlib
import platform
import re
import subprocess
import sys
import tarfile
import tempfile
import unittest

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tools/dev"))

from reasons import reason_of  # noqa: E402
BUILD = TOP / "packaging/image/build-oci"
ARCHIVE, ROOT = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
MEDIA = "application/vnd.oci.image"
# Uncompressed; it is 17 MB, and a library too many is a mistake worth a look.
MOST_BYTES = 25_000_000


class Image(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        with tarfile.open(ARCHIVE) as archive:
            cls.files = {entry.name: archive.extractfile(entry).read() for entry in archive if entry.isfile()}
        index = json.loads(cls.files["index.json"])
        cls.named = index["manifests"][0]
        cls.manifest = json.loads(cls.blob(cls.named))
        cls.config = json.loads(cls.blob(cls.manifest["config"]))
        cls.layer = gzip.decompress(cls.blob(cls.manifest["layers"][0]))
        cls.tree = cls.enterClassContext(tarfile.open(fileobj=io.BytesIO(cls.layer)))
        cls.folder = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory(prefix="egb-oci-")))
        subprocess.run(["tar", "--extract", "--directory", cls.folder], input=cls.layer, check=True)

    @classmethod
    def blob(cls, descriptor: dict) -> bytes:
        return cls.files["blobs/" + descriptor["digest"].replace(":", "/")]

    def in_image(self, *command: str) -> bytes:
        """With nothing but what is in the image, and every symbol looked for at once."""
        done = subprocess.run(["chroot", self.folder, *command], check=True, capture_output=True,
                              env={"PATH": os.environ["PATH"], "LD_BIND_NOW": "1"})
        return done.stdout

    def test_the_layout_is_valid(self) -> None:
        self.assertEqual(json.loads(self.files["oci-layout"]), {"imageLayoutVersion": "1.0.0"})
        descriptors = [self.named, self.manifest["config"], *self.manifest["layers"]]
        for descriptor in descriptors:
            self.assertEqual(descriptor["digest"], f"sha256:{hashlib.sha256(self.blob(descriptor)).hexdigest()}")
            self.assertEqual(descriptor["size"], len(self.blob(descriptor)))
        self.assertEqual([descriptor["mediaType"] for descriptor in descriptors],
                         [f"{MEDIA}.manifest.v1+json", f"{MEDIA}.config.v1+json", f"{MEDIA}.layer.v1.tar+gzip"])
        self.assertEqual(len(self.files), 2 + len(descriptors), "nothing that nobody refers to")
        self.assertEqual(self.config["rootfs"]["diff_ids"], [f"sha256:{hashlib.sha256(self.layer).hexdigest()}"])
        self.assertEqual(self.config["architecture"], {"x86_64": "amd64", "aarch64": "arm64"}[platform.machine()])

    def test_only_what_the_daemon_needs_is_in_it(self) -> None:
        programs = {name for name in self.tree.getnames() if re.match(r"usr/s?bin/.", name)}
        self.assertEqual(programs, {"usr/bin/cat", "usr/bin/ghostctl", "usr/sbin/eghostbusterd"})
        for entry in self.tree:
            self.assertEqual((entry.uid, entry.gid), (0, 0), entry.name)
            self.assertTrue(entry.issym() or entry.mode in (0o644, 0o755), entry.name)
        self.assertLess(len(self.layer), MOST_BYTES)
        # Every library is somebody's, and so are its licence and its place in a list of known flaws.
        documents = {name.split("/")[3] for name in self.tree.getnames() if name.endswith("/copyright")}
        records = {name.split("/")[4] for name in self.tree.getnames() if name.startswith("var/lib/dpkg/status.d/")}
        self.assertEqual(documents, records)
        self.assertLessEqual({"eghostbuster", "libc6", "libsystemd0", "libbpf1", "libsqlite3-0"}, records)

    def test_its_programs_run(self) -> None:
        self.assertIn(self.config["config"]["Labels"]["org.opencontainers.image.version"],
                      self.in_image("/usr/sbin/eghostbusterd", "--version").decode())
        self.assertEqual(self.in_image("/usr/sbin/eghostbusterd", "--print-config"),
                         (TOP / "units/eghostbuster.conf").read_bytes())
        self.assertIn(b"doctor", self.in_image("/usr/bin/ghostctl", "--help"))

    def test_the_host_gets_files_and_nothing_else(self) -> None:
        with tarfile.open(fileobj=io.BytesIO(self.in_image("/usr/bin/cat", "/host-files.tar"))) as files:
            self.assertTrue(all(entry.isfile() for entry in files), "no folder, whose mode would become the host's")
            text = {entry.name: files.extractfile(entry).read().decode() for entry in files}
        self.assertEqual(text["etc/dbus-1/system.d/org.eghostbuster1.conf"],
                         (TOP / "dbus/org.eghostbuster1.conf").read_text())
        self.assertEqual(text["usr/share/polkit-1/actions/org.eghostbuster1.policy"],
                         (TOP / "dbus/org.eghostbuster1.policy").read_text())
        name = self.named["annotations"]["org.opencontainers.image.ref.name"]
        self.assertIn(f"\nImage={name}\n", text["etc/containers/systemd/eghostbuster.container"])
        self.assertIn(f" {name} ", text["usr/local/bin/ghostctl"])

    def test_the_same_package_gives_the_same_bytes(self) -> None:
        again = self.folder / "again.oci.tar"
        epoch = str(next(iter(self.tree)).mtime)
        version = self.config["config"]["Labels"]["org.opencontainers.image.version"]
        subprocess.run(
            [BUILD, ROOT, again, "--version", version, "--architecture", self.config["architecture"], "--epoch", epoch],
            check=True, env={"PATH": os.environ["PATH"], "TZ": "Pacific/Kiritimati", "PYTHONHASHSEED": "7",
                             "PYTHONDONTWRITEBYTECODE": "1"})
        self.assertEqual(again.read_bytes(), ARCHIVE.read_bytes())


def name_of(test: unittest.TestCase) -> str:
    return test.id().rpartition(".")[2].removeprefix("test_")


class Reporter(unittest.TextTestResult):
    """A line of results for each test as it ends."""

    lines: list[str] = []

    def addSuccess(self, test: unittest.TestCase) -> None:
        super().addSuccess(test)
        self.lines.append(f"pass\toci/{name_of(test)}\t")

    def addFailure(self, test: unittest.TestCase, err: tuple) -> None:
        super().addFailure(test, err)
        self.lines.append(f"fail\toci/{name_of(test)}\t{reason_of(err[1])}")

    def addError(self, test: unittest.TestCase, err: tuple) -> None:
        super().addError(test, err)
        self.lines.append(f"fail\toci/{name_of(test)}\t{reason_of(err[1])}")


def main() -> int:
    pattern = sys.argv[3] if len(sys.argv) > 3 else ""
    tests = unittest.defaultTestLoader.loadTestsFromTestCase(Image)
    chosen = unittest.TestSuite(test for test in tests if re.search(pattern, name_of(test)))
    outcome = unittest.TextTestRunner(stream=sys.stdout, verbosity=2, resultclass=Reporter).run(chosen)
    with contextlib.suppress(KeyError), open(os.environ["EGB_RESULTS"], "a", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in Reporter.lines)
    return 0 if outcome.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
