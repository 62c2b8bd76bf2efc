// SPDX-License-Identifier: Apache-2.0
#include "commands/declarations.hpp"
#include "commands/verb.hpp"

#include <array>

namespace egb::cli {

namespace {

constexpr std::string_view look = "Look";
constexpr std::string_view act = "Act";
constexpr std::string_view govern = "Govern";
constexpr std::string_view service = "Service";

constexpr std::array table{
    Verb{
        .name = "status",
        .group = look,
        .summary = "How the daemon is and what it has found (the default)",
        .details =
            "Tells whether all is well, and if not, why; for each kind what is under observation, what is "
            "suspected and proven, when everything was last looked at, and what the policy is. With "
            "--quiet only the state: ok, paused, dry-run, report-only or degraded.",
        .examples = "ghostctl\n"
                    "ghostctl status --json | jq '.kinds[].proven'",
        .declare = declare_status,
    },
    Verb{
        .name = "list",
        .group = look,
        .summary = "The ghosts there are now",
        .details =
            "A ghost is shown with the first process that holds it. What several filters ask of a process "
            "must all be true of the same one. A process that leaks sockets by the dozen is one line; --all "
            "lists each of them. With --quiet only the ids.",
        .examples = "ghostctl list --grade proven\n"
                    "ghostctl list --all --pid 4711\n"
                    "ghostctl list --kind tcp --unit nginx.service --min-age 1h\n"
                    "ghostctl list -q --container 3f2a  # ids alone",
        .declare = declare_list,
    },
    Verb{
        .name = "show",
        .group = look,
        .summary = "Everything known about ghosts",
        .details = "All holders, the evidence, the kind's own facts, and what the policy is going to do. Of "
                   "one that "
                   "stands for many, these too, each with its descriptor: the first 50, with --json all.",
        .examples = "ghostctl show 17 18\n"
                    "ghostctl show 17 --json | jq '.ghosts[0].fields'",
        .declare = declare_show,
    },
    Verb{
        .name = "explain",
        .group = look,
        .summary = "Why something is held to be a ghost, and what speaks against it",
        .details =
            "In words: the claim, the evidence for it and against it, what would change the verdict, and "
            "what will be done.",
        .examples = "ghostctl explain 17",
        .declare = declare_explain,
    },
    Verb{
        .name = "watch",
        .group = look,
        .summary = "What happens, as it happens",
        .details =
            "Ghosts that appear, are about to be cleaned, are cleaned, or vanish by themselves; and what "
            "changes about the daemon. Goes on over a restart of the daemon, until Ctrl-C. With --json one "
            "object per line.",
        .examples = "ghostctl watch --kind tcp\n"
                    "ghostctl watch --json | jq -r 'select(.event == \"appeared\").summary'",
        .declare = declare_watch,
    },
    Verb{
        .name = "trace",
        .group = look,
        .summary = "Which processes start and end, as it happens",
        .details =
            "Each program that is run and each process that ends, of all users, with what it ended with and "
            "how long it lived. The kernel tells of nothing but what passes the filters, and nothing while "
            "nobody watches. Ends with Ctrl-C and with totals. With --json one object per line. Needs "
            "authorisation.",
        .examples = "ghostctl trace --failed\n"
                    "ghostctl trace --pid 4711 --tree      # with its descendants\n"
                    "ghostctl trace --unit backup.service -d 2s\n"
                    "ghostctl trace --count --for 10s      # what is started over and over?\n"
                    "ghostctl trace --json --comm sshd | jq -r .exe",
        .declare = declare_trace,
    },
    Verb{
        .name = "history",
        .group = look,
        .summary = "What became of ghosts",
        .details = "The newest first, over restarts of the daemon and of the machine.",
        .examples = "ghostctl history --since yesterday --verdict failed\n"
                    "ghostctl history --ghost 17",
        .declare = declare_history,
    },
    Verb{
        .name = "quarantine",
        .group = look,
        .summary = "The files that were taken out of their places",
        .details = "What is not restored is forgotten in time: QuarantineFor= in eghostbuster.conf(5). With "
                   "--quiet only the ids.",
        .examples = "ghostctl quarantine\n"
                    "ghostctl quarantine --json | jq -r '.files[].path'",
        .declare = declare_quarantine,
    },
    Verb{
        .name = "who-owns",
        .group = look,
        .summary = "Which processes hold a file, and whose lock it is",
        .details =
            "In every namespace, with unit and container. Of a lock also who has it, who made it and has "
            "died, and what speaks for that. A file that you may not read needs authorisation. With "
            "--quiet only the pids of those who live.",
        .examples = "ghostctl who-owns /run/lock/backup.lock\n"
                    "ghostctl who-owns --json /run/lock/backup.lock | jq -r '.files[].claims[].verdict'",
        .declare = declare_who_owns,
    },
    Verb{
        .name = "clean",
        .group = act,
        .summary = "Lay ghosts to rest now",
        .details =
            "Right before it acts, the daemon looks at the kernel again: what is no longer what it was is "
            "refused, and nothing is touched. What is only suspected is refused as well, unless "
            "--suspected is given.",
        .examples = "ghostctl clean 17\n"
                    "ghostctl clean --all --kind tcp --dry-run  # what would happen\n"
                    "ghostctl clean 18 --suspected              # although it is not proven",
        .declare = declare_clean,
    },
    Verb{
        .name = "hold",
        .group = act,
        .summary = "Keep the daemon from acting on ghosts for a time",
        .details = "Whatever the policy says and whatever is proven. They stay on every list.",
        .examples = "ghostctl hold 17 --for 2h\n"
                    "ghostctl hold 17 --release",
        .declare = declare_hold,
    },
    Verb{
        .name = "ignore",
        .group = act,
        .summary = "The same, and leave them out of every list",
        .details = "They come back to the lists when the time is over, or with --release.",
        .examples = "ghostctl ignore 17 18\n"
                    "ghostctl ignore --all --unit postgresql.service --for infinity",
        .declare = declare_ignore,
    },
    Verb{
        .name = "restore",
        .group = act,
        .summary = "Put back what was taken into quarantine",
        .details =
            "Prints where it is now. Nothing is put over a file that has its name by then, nor into another "
            "directory than that from which it was taken.",
        .examples = "ghostctl restore 17",
        .declare = declare_restore,
    },
    Verb{
        .name = "scan",
        .group = act,
        .summary = "Look at the whole machine at once",
        .details = "The daemon does so by itself from time to time; this is for those who cannot wait.",
        .examples = "ghostctl scan\n"
                    "ghostctl scan tcp",
        .declare = declare_scan,
    },
    Verb{
        .name = "policy",
        .group = govern,
        .summary = "Show or change what is done about a kind of ghosts",
        .details =
            "The options are those of the kind's section in eghostbuster.conf(5). Without --persistent, "
            "what is set here ends with the next reload or restart.",
        .examples = "ghostctl policy show tcp\n"
                    "ghostctl policy set tcp Clean=never\n"
                    "ghostctl policy set tcp Veto=1min Clean=proven --persistent",
        .declare = declare_policy,
    },
    Verb{
        .name = "pause",
        .group = govern,
        .summary = "Stop all acts of the daemon at once",
        .details = "It still observes and reports.",
        .examples = "ghostctl pause",
        .declare = declare_pause,
    },
    Verb{
        .name = "resume",
        .group = govern,
        .summary = "Let it act again",
        .details = "As the policy of each kind says.",
        .examples = "ghostctl resume",
        .declare = declare_resume,
    },
    Verb{
        .name = "reload",
        .group = govern,
        .summary = "Have the configuration read again",
        .details = "A wrong value is told with file, line and reason, and nothing changes.",
        .examples = "ghostctl reload",
        .declare = declare_reload,
    },
    Verb{
        .name = "doctor",
        .group = service,
        .summary = "What works on this machine, what does not, and why",
        .details =
            "Looks at the machine, at the way to the daemon, and at what each kind wants of the kernel. Exit "
            "status 1 when something that is needed does not work.",
        .examples = "ghostctl doctor\n"
                    "ghostctl doctor -q  # what does not work, alone",
        .declare = declare_doctor,
    },
    Verb{
        .name = "kinds",
        .group = service,
        .summary = "The kinds of ghosts that the daemon knows",
        .details = "And how each of them is at the moment. With --quiet only the names.",
        .examples = "ghostctl kinds",
        .declare = declare_kinds,
    },
    Verb{
        .name = "version",
        .group = service,
        .summary = "The versions of ghostctl and of the daemon",
        .details = "A daemon that does not run has none; that is no failure.",
        .examples = "ghostctl version",
        .declare = declare_version,
    },
};

} // namespace

std::span<const Verb> verbs() {
    return table;
}

} // namespace egb::cli
