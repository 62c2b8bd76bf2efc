// SPDX-License-Identifier: Apache-2.0
// Names that look like locks and are none: what a program writes to keep it. Add a line when you meet
// another; names_test.cpp holds each of them against the patterns of old.
#pragma once

#include <array>
#include <string_view>

namespace egb::lockfile {

/// Globs for the last part of a path. Those that a package manager writes to say which versions it has chosen
/// are the reason why no tool may go by names.
inline constexpr std::array<std::string_view, 36> data_files{
    // Versions chosen by a package manager.
    "Berksfile.lock",    "bun.lock",
    "Cargo.lock",        "Cartfile.resolved",
    "Chart.lock",        "composer.lock",
    "conan.lock",        "conda-lock.yml",
    "deno.lock",         "devbox.lock",
    "devenv.lock",       "flake.lock",
    "Gemfile.lock",      "gems.locked",
    "glide.lock",        "go.sum",
    "Gopkg.lock",        "gradle.lockfile",
    "mix.lock",          "npm-shrinkwrap.json",
    "package-lock.json", "packages.lock.json",
    "paket.lock",        "pdm.lock",
    "Pipfile.lock",      "pixi.lock",
    "pnpm-lock.yaml",    "Podfile.lock",
    "poetry.lock",       "pubspec.lock",
    "pylock.toml",       "shard.lock",
    "stack.yaml.lock",   "uv.lock",
    "yarn.lock",         ".terraform.lock.hcl",
};

/// Globs for whole paths of what is a lock although there is something else than a pid in it: what will be
/// the file itself, once it is written. Any folder may be called x.git, as a bare repository is: of one, only
/// what git itself locks.
inline constexpr std::array<std::string_view, 18> known_locks{
    "*/.git/*.lock",
    "*.git/HEAD.lock",
    "*.git/config.lock",
    "*.git/index.lock",
    "*.git/packed-refs.lock",
    "*.git/shallow.lock",
    "*.git/gc.pid.lock",
    "*.git/refs/*.lock",
    "*.git/logs/*.lock",
    "*.git/reftable/tables.list.lock",
    "*.git/worktrees/*/HEAD.lock",
    "*.git/worktrees/*/index.lock",
    "*.git/objects/maintenance.lock",
    "*.git/objects/info/alternates.lock",
    "*.git/objects/info/commit-graph*.lock",
    "*.git/objects/pack/multi-pack-index*.lock",
    "*/.hg/*lock",
    "*/.bzr/*lock*",
};

/// Programs that make files for others, or copies of them. Their O_EXCL keeps them from writing over
/// something, and says nothing of a lock.
inline constexpr std::array<std::string_view, 44> copying_programs{
    "7z",
    "bsdtar",
    "cp",
    "cpio",
    "dpkg",
    "dpkg-deb",
    "fuse-overlayfs",
    "git",
    "git-checkout",
    "install",
    "mv",
    "ganesha.nfsd",
    "proftpd",
    "pure-ftpd",
    "rclone",
    "rpm",
    "rsync",
    "scp",
    "sftp-server",
    "sshfs",
    "smbd",
    "svn",
    "tar",
    "unzip",
    "vhostuser-fs",
    "virtiofsd",
    "vsftpd",
    "sshd",
    "sshd-session",
    "diod",
    "httpd",
    "apache2",
    "nginx",
    "syncthing",
    "unison",
    "dockerd",
    "containerd",
    "podman",
    "buildah",
    "skopeo",
    "qemu-system-x86",
    "xz",
    "zstd",
    "p9-server",
};

/// Globs for whole paths of what is only ever explained: whoever needs these to go has a tool of his own for
/// it, and whoever removes them by hand lets two writers in, or makes a database shut down.
inline constexpr std::array<std::string_view, 20> protected_files{
    // Databases.
    "*/postmaster.pid",
    "*/mongod.lock",
    "*/WiredTiger.lock",
    "*/.s.PGSQL.*.lock",
    "*/mysql.sock.lock",
    "*/mysqlx.sock.lock",
    "*/ibdata*.lock",
    // Users and passwords.
    "/etc/.pwd.lock",
    "/etc/passwd.lock",
    "/etc/shadow.lock",
    "/etc/group.lock",
    "/etc/gshadow.lock",
    // Package managers.
    "/var/lib/dpkg/*",
    "/var/lib/apt/*",
    "/var/cache/apt/*",
    "/var/lib/rpm/*",
    "/usr/lib/sysimage/rpm/*",
    "/var/lib/dnf/*",
    "/var/cache/dnf/*",
    "/var/lib/pacman/*",
};

} // namespace egb::lockfile
