# SPDX-License-Identifier: Apache-2.0
"""The ghost dies, the look-alike lives with its data intact.

Only sockets of processes that go by the tests' own name are touched, whatever else is stuck on this machine.
"""

import contextlib
import json
import socket
import threading
import time

from machine import CLOSE_WAIT_AFTER, SERVICE, Forgetful, Machine, Row, Scenario, eventually, in_unit

# Each of the daemons, which run at the same time, has a name of its own.
NAME, OVERDUE = "egb-forgetful", "egb-overdue"
STRANGER = "egb-stranger"  # of none of them
CLOSE, CLOSE_WAIT, LAST_ACK = 7, 8, 9
VETO = 1
# Threshold, veto, and a nudge with its answer, with room to spare.
LONG_ENOUGH = CLOSE_WAIT_AFTER + VETO + 6

OPTED_OUT = "egb-opted-out.service"
LEAKY, PRECIOUS, HELPED, HASTY = (
    "egb-leaky.service", "egb-precious.service", "egb-helped.service", "egb-hasty.service")
RULE = "/usr/share/eghostbuster/eghostbuster-units.rules"

UNHINDERED = f"""[Governor]
ActsPerMinute=100000
ActsPerMinutePerUnit=100000
Cooldown=1s
[tcp]
CloseWaitAfter={CLOSE_WAIT_AFTER}s
Veto={VETO}s
"""
CONFIGURATION = f"""{UNHINDERED}NudgeInterval=1s
NudgeProbes=3
Only=comm:{NAME}
"""
CLEANS_SUSPECTED = f"""{UNHINDERED}Clean=suspected
Nudge=no
Only=comm:{OVERDUE}
"""


# Nothing is on its way meanwhile, so that the peer is asked; and then everything is.
LATER = ("--download=3000000", "--late")


def forgetful(*options: str, name: str = NAME) -> Forgetful:
    return Forgetful("--comm", name, *options)


def ports_of(stuck: Forgetful) -> list[str]:
    """The options for another with the same."""
    (one,) = stuck.sockets
    return ["--ports", str(one["local"][1]), str(one["peer"][1])]


def outcomes_of(machine: Machine, stuck: Forgetful) -> list[str]:
    """What was done to the ghosts of its first port, the oldest first."""
    port = stuck.sockets[0]["local"][1]
    rows = sorted(machine.history(), key=lambda row: row["sequence"])
    return [row["verdict"] for row in rows if row["type"] == "acted" and f":{port} " in row["summary"]]


class TcpActs(Scenario):
    length = 3
    files = {
        "/etc/eghostbuster/eghostbuster.conf.d/10-test.conf": CONFIGURATION,
        f"/etc/systemd/system/{OPTED_OUT}.d/ghosts.conf": "[X-Ghostbuster]\nClean=no\n",
    }

    def check_ended(self, *options: str) -> None:
        with forgetful(*options) as stuck:
            states = eventually("its sockets are ended", lambda: stuck.ask("states") == [CLOSE] * len(stuck.sockets))
            self.assertTrue(states)
            eventually("its ghosts are told as cleaned",
                       lambda: "cleaned" in outcomes_of(self.machine, stuck))

    def test_a_peer_that_has_closed(self) -> None:
        self.check_ended()

    def test_a_peer_that_has_closed_ipv6(self) -> None:
        self.check_ended("--family=ipv6")

    def test_a_peer_that_has_closed_v4_mapped(self) -> None:
        self.check_ended("--family=mapped")

    def test_a_peer_that_has_closed_in_another_network_namespace(self) -> None:
        self.check_ended("--new-network")

    def test_a_peer_that_crashed_is_asked_in_vain(self) -> None:
        with forgetful("--peer=crashed") as stuck:
            eventually("its socket is ended", lambda: stuck.ask("states") == [CLOSE])
            eventually("it was asked, and that was the end of it",
                       lambda: outcomes_of(self.machine, stuck) == ["asked", "cleaned"])

    def test_a_peer_that_crashed_in_another_network_namespace(self) -> None:
        self.check_ended("--peer=crashed", "--new-network", "--family=ipv6")

    def test_five_hundred_at_once(self) -> None:
        self.check_ended("--count=500")

    def lives(self, stuck: Forgetful) -> Row:
        """For longer than a ghost would; then what is told of it."""
        time.sleep(LONG_ENOUGH)
        self.assertEqual(set(stuck.ask("states")), {CLOSE_WAIT})
        return self.machine.find_ghost(stuck.pid)

    def test_a_half_closed_download_lives(self) -> None:
        """One is paused by its reader; one is asked, its peer answers, and then it goes on, byte for byte."""
        with forgetful("--peer=half", "--download=3000000") as reader, forgetful("--peer=half", *LATER) as idle:
            ghost = self.lives(idle)
            explained = self.machine.read("ghostctl", "explain", str(ghost.id))
            self.assertIn("its peer was asked, and answered", explained)
            self.assertEqual(outcomes_of(self.machine, idle), ["asked"])
            self.assertEqual(set(reader.ask("states")), {CLOSE_WAIT})
            self.assertEqual(reader.ask("finish"), [True])
            self.assertEqual(idle.ask("finish"), [True])

    def test_a_half_closed_tunnel_in_another_network_namespace_lives(self) -> None:
        with forgetful("--peer=half", "--new-network", "--family=ipv6", *LATER) as idle:
            self.lives(idle)
            self.assertEqual(idle.ask("finish"), [True])

    def test_its_twin_in_another_network_namespace_lives(self) -> None:
        """Addresses and ports are those of a ghost."""
        with forgetful() as stuck, forgetful("--peer=half", "--new-network", *ports_of(stuck), *LATER) as twin:
            self.assertEqual(twin.sockets[0]["local"], stuck.sockets[0]["local"])
            self.lives(twin)
            self.assertEqual(stuck.ask("states"), [CLOSE])
            self.assertEqual(twin.ask("finish"), [True])

    def test_who_has_its_ports_by_now_lives(self) -> None:
        """It is found, and before anything is done another connection has taken its place."""
        with forgetful("--peer=crashed") as stuck:
            self.machine.find_ghost(stuck.pid)
            stuck.ask("close")
            with forgetful("--peer=half", *ports_of(stuck), *LATER) as successor:
                self.assertEqual(successor.sockets[0]["local"], stuck.sockets[0]["local"])
                self.lives(successor)
                self.assertEqual(successor.ask("finish"), [True])

    def test_what_its_application_closes_in_time_is_not_ours(self) -> None:
        with forgetful() as stuck:
            self.machine.find_ghost(stuck.pid)
            stuck.ask("close")
            time.sleep(VETO + 1)
            self.assertNotIn("cleaned", outcomes_of(self.machine, stuck))

    def test_what_is_held_lives(self) -> None:
        with forgetful() as stuck:
            ghost = self.machine.find_ghost(stuck.pid)
            self.machine.run("ghostctl", "hold", "--for", "1min", str(ghost.id))
            self.lives(stuck)
            self.machine.run("ghostctl", "hold", "--release", str(ghost.id))
            eventually("it is ended after all", lambda: stuck.ask("states") == [CLOSE])

    def test_what_is_out_of_scope_lives(self) -> None:
        with forgetful(name=STRANGER) as stranger:
            ghost = self.lives(stranger)
            self.assertEqual(ghost.decision, "report")

    def test_a_unit_that_opts_out_is_left_alone(self) -> None:
        stuck = forgetful()
        with in_unit(stuck.pid, OPTED_OUT):
            try:
                ghost = self.lives(stuck)
                self.assertEqual(ghost.decision, "report")
                self.assertIn(OPTED_OUT, self.machine.read("ghostctl", "explain", str(ghost.id)))
            finally:
                stuck.end()

    def test_a_person_ends_what_is_only_suspected(self) -> None:
        with forgetful("--peer=half") as idle:
            ghost = self.machine.find_ghost(idle.pid)
            self.machine.run("ghostctl", "clean", "--suspected", str(ghost.id))
            self.assertEqual(idle.ask("states"), [CLOSE])

    def test_doctor_has_all_means(self) -> None:
        report = self.machine.read("ghostctl", "doctor")
        self.assertIn("bpf_sock_destroy", report)
        self.assertNotIn("✗", report)


class TcpOverdue(Scenario):
    """What is older than the threshold is ended without proof and without a question, where that is wanted."""

    length = 5

    files = {
        "/etc/eghostbuster/eghostbuster.conf.d/10-test.conf": CLEANS_SUSPECTED,
    }

    def test_only_who_is_idle_is_ended(self) -> None:
        with (forgetful("--peer=half", name=OVERDUE) as idle,
              forgetful("--peer=half", name=OVERDUE) as busy):
            end = time.monotonic() + LONG_ENOUGH
            while time.monotonic() < end:
                self.assertEqual(busy.ask("say"), [True])
                time.sleep(0.2)
            self.assertEqual(busy.ask("states"), [CLOSE_WAIT])
            self.assertEqual(idle.ask("states"), [CLOSE])
            eventually("it was ended at once", lambda: outcomes_of(self.machine, idle) == ["cleaned"])
            self.assertEqual(outcomes_of(self.machine, busy), [])
            eventually("so is the other, now that it says no more", lambda: busy.ask("states") == [CLOSE])

    def test_what_is_out_of_scope_lives(self) -> None:
        with forgetful("--peer=half", name=STRANGER) as stranger:
            time.sleep(LONG_ENOUGH)
            self.assertEqual(stranger.ask("states"), [CLOSE_WAIT])


class UnitActs(Scenario):
    """What runs out of descriptors is restarted, where that is wanted and polkit lets us."""

    def setUp(self) -> None:
        super().setUp()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=1000)
        self.addCleanup(self.listener.close)
        threading.Thread(target=self.hang_up, daemon=True).start()

    def hang_up(self) -> None:
        """On everybody who calls, at once."""
        with contextlib.suppress(OSError):
            while True:
                self.listener.accept()[0].close()

    def start_leaking(self, unit: str, start: str = "{}") -> int:
        """Until it can open nothing more. Its main process."""
        port = self.listener.getsockname()[1]
        # Without a dollar sign, which systemd and the shell would both take for their own.
        program = f"{{ push @kept, IO::Socket::INET->new(q(127.0.0.1:{port})) || last; redo }} sleep"
        command = start.format(f'/usr/bin/perl -MIO::Socket::INET -e "{program}"')
        self.machine.put(f"/run/systemd/system/{unit}", f"[Service]\nLimitNOFILE=60\nExecStart={command}\n")
        self.machine.run("systemctl", "daemon-reload")
        self.machine.run("systemctl", "start", unit)
        self.addCleanup(self.machine.run, "systemctl", "stop", unit)
        return self.main_pid_of(unit)

    def main_pid_of(self, unit: str) -> int:
        return int(self.machine.read("systemctl", "show", "--value", "--property=MainPID", unit))

    def acts_on(self, unit: str) -> list[dict]:
        return [row for row in self.machine.history() if row["type"] == "acted" and row["summary"].startswith(f"{unit} ")]

    files = {
        "/etc/eghostbuster/eghostbuster.conf.d/10-test.conf": f"""{UNHINDERED}Destroy=no
Nudge=no
LeakUnit=restart
LeakUnitEvery=1s
Only=unit:{LEAKY} unit:{PRECIOUS} unit:{HELPED} unit:{HASTY}
""",
        f"/etc/systemd/system/{PRECIOUS}.d/ghosts.conf": "[X-Ghostbuster]\nClean=no\n",
    }

    def test_a_unit_that_leaks_until_nothing_is_left_is_restarted(self) -> None:
        precious = self.start_leaking(PRECIOUS)
        leaky = self.start_leaking(LEAKY)
        refused = eventually("polkit says no", lambda: self.acts_on(LEAKY))[0]
        self.assertEqual(refused["verdict"], "refused")
        self.assertIn("polkit", refused["reason"])
        self.assertEqual(self.main_pid_of(LEAKY), leaky)

        self.machine.run("cp", RULE, "/etc/polkit-1/rules.d/")
        eventually("it is restarted", lambda: self.main_pid_of(LEAKY) not in (0, leaky))
        eventually("that is told", lambda: {"asked", "cleaned"} <= {row["verdict"] for row in self.acts_on(LEAKY)})
        self.assertEqual(self.main_pid_of(PRECIOUS), precious)
        self.assertEqual(self.acts_on(PRECIOUS), [])

    def test_a_helper_does_not_speak_for_its_unit(self) -> None:
        main = self.start_leaking(HELPED, "/bin/sh -c '{} & wait'")
        refused = eventually("it is left alone", lambda: self.acts_on(HELPED))[0]
        self.assertEqual(refused["verdict"], "refused")
        self.assertIn("not the main process", refused["reason"])
        self.assertEqual(self.main_pid_of(HELPED), main)

    def test_it_is_not_done_more_often_than_is_wanted(self) -> None:
        seldom = "/etc/eghostbuster/eghostbuster.conf.d/20-seldom.conf"
        self.machine.put(seldom, "[tcp]\nLeakUnitEvery=1h\n")
        self.machine.run("systemctl", "reload", SERVICE)
        self.addCleanup(self.machine.run, "systemctl", "reload", SERVICE)
        self.addCleanup(self.machine.run, "rm", seldom)
        main = self.start_leaking(HASTY)
        refused = eventually("it is left alone", lambda: self.acts_on(HASTY))[0]
        self.assertEqual(refused["verdict"], "refused")
        self.assertIn("that is done once in 1h at most", refused["reason"])
        self.assertEqual(self.main_pid_of(HASTY), main)
