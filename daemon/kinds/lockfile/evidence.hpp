// SPDX-License-Identifier: Apache-2.0
// What can be found out about a lock file. README.md has the reasoning.
#pragma once

#include "core/evidence.hpp"

#include <array>

namespace egb::lockfile {

inline constexpr EvidenceRule created_exclusively{
    .name = "created-exclusively",
    .weight = Weight::supports,
    .unit = EvidenceUnit::none,
    .text = "it was seen to be created by a call that fails when there is one already: it is a lock, and who "
            "made it held it",
    .change = "",
};
inline constexpr EvidenceRule unseen{
    .name = "exclusive-unseen",
    .weight = Weight::opposes,
    .unit = EvidenceUnit::none,
    .text = "it was seen to be made, but not by which call: that is hidden from the mechanism in use, so "
            "that it may "
            "be any file of that name, and no lock",
    .change = "a kernel on which another mechanism works (See=)",
};
inline constexpr EvidenceRule killed{
    .name = "creator-killed",
    .weight = Weight::supports,
    .unit = EvidenceUnit::count,
    .text = "who made it was killed by signal {}, and had no chance to remove it",
    .change = "",
};
inline constexpr EvidenceRule rebooted{
    .name = "earlier-boot",
    .weight = Weight::supports,
    .unit = EvidenceUnit::none,
    .text = "it is of an earlier boot of this machine, which none of its owners has outlived",
    .change = "",
};
inline constexpr EvidenceRule without_owner{
    .name = "ownerless",
    .weight = Weight::supports,
    .unit = EvidenceUnit::since,
    .text = "who made it and everybody whom that process has forked since are dead for {}",
    .change = "",
};
inline constexpr EvidenceRule unheld{
    .name = "unheld",
    .weight = Weight::supports,
    .unit = EvidenceUnit::none,
    .text = "no process has it open or works in it, and the kernel holds no lock on it",
    .change = "",
};
inline constexpr EvidenceRule names_its_creator{
    .name = "names-creator",
    .weight = Weight::supports,
    .unit = EvidenceUnit::count,
    .text = "what is written in it is the pid of who made it, {}",
    .change = "",
};
inline constexpr EvidenceRule exited{
    .name = "creator-exited",
    .weight = Weight::opposes,
    .unit = EvidenceUnit::none,
    .text =
        "who made it has exited by itself and left it, as a command does that takes a lock for a script, and "
        "none of those it can have been made for is left",
    .change = "",
};
inline constexpr EvidenceRule unknown_owners{
    .name = "owners-unknown",
    .weight = Weight::opposes,
    .unit = EvidenceUnit::none,
    .text = "forks or deaths of that time were missed, so that somebody may own it of whom we do not know",
    .change = "",
};
inline constexpr EvidenceRule not_watched{
    .name = "unwatched",
    .weight = Weight::opposes,
    .unit = EvidenceUnit::none,
    .text = "for some time nobody watched it (the daemon was stopped, or events were lost): another may have "
            "taken it, or its owner may have left it on purpose",
    .change = "",
};
inline constexpr EvidenceRule held{
    .name = "held",
    .weight = Weight::opposes,
    .unit = EvidenceUnit::count,
    .text = "living processes have it open, or have it as a working or root directory: {} times in all",
    .change = "whoever has it open closes it, and whoever works in it leaves",
};
inline constexpr EvidenceRule unknown_holders{
    .name = "holders-unknown",
    .weight = Weight::opposes,
    .unit = EvidenceUnit::none,
    .text = "who has it open cannot be found out",
    .change = "",
};
inline constexpr EvidenceRule locked{
    .name = "locked",
    .weight = Weight::opposes,
    .unit = EvidenceUnit::none,
    .text = "somebody holds an advisory lock (flock or fcntl) on it",
    .change = "",
};
inline constexpr EvidenceRule advisory{
    .name = "advisory",
    .weight = Weight::opposes,
    .unit = EvidenceUnit::none,
    .text =
        "it has been locked by flock or fcntl: that it exists means nothing, and to remove it would let two "
        "owners in",
    .change = "",
};
inline constexpr EvidenceRule names_a_living_one{
    .name = "names-living",
    .weight = Weight::opposes,
    .unit = EvidenceUnit::count,
    .text = "what is written in it is a pid, {}, and a process lives that has it",
    .change = "that process ends",
};
inline constexpr EvidenceRule names_one_elsewhere{
    .name = "names-elsewhere",
    .weight = Weight::opposes,
    .unit = EvidenceUnit::count,
    .text = "what is written in it is a pid, {}, of a pid namespace that we do not see into",
    .change = "",
};
inline constexpr EvidenceRule other_names{
    .name = "other-names",
    .weight = Weight::opposes,
    .unit = EvidenceUnit::none,
    .text = "the same file has other names, too: what it is there cannot be told from here",
    .change = "",
};
inline constexpr EvidenceRule remote{
    .name = "remote",
    .weight = Weight::opposes,
    .unit = EvidenceUnit::none,
    .text = "it is on a file system that other machines may share",
    .change = "",
};
inline constexpr EvidenceRule exported{
    .name = "exported",
    .weight = Weight::opposes,
    .unit = EvidenceUnit::none,
    .text = "the folder that it is in is served to other machines by NFS, or was since it has no owner",
    .change = "",
};
inline constexpr EvidenceRule mount_point{
    .name = "mount-point",
    .weight = Weight::opposes,
    .unit = EvidenceUnit::none,
    .text = "something is mounted there",
    .change = "",
};
inline constexpr EvidenceRule not_empty{
    .name = "not-empty",
    .weight = Weight::opposes,
    .unit = EvidenceUnit::none,
    .text = "it is a directory, and something is in it",
    .change = "",
};
inline constexpr EvidenceRule too_large{
    .name = "too-large",
    .weight = Weight::opposes,
    .unit = EvidenceUnit::bytes,
    .text = "it has {} of content, more than MostBytes= allows for a lock",
    .change = "",
};
inline constexpr EvidenceRule changed_later{
    .name = "changed-since",
    .weight = Weight::opposes,
    .unit = EvidenceUnit::none,
    .text = "it was changed after the last of its owners had died: somebody else has to do with it",
    .change = "",
};
inline constexpr EvidenceRule protected_file{
    .name = "protected",
    .weight = Weight::opposes,
    .unit = EvidenceUnit::none,
    .text = "it is on the list of those that are only ever explained (package managers, databases, Except=)",
    .change = "",
};
inline constexpr EvidenceRule out_of_bounds{
    .name = "out-of-bounds",
    .weight = Weight::opposes,
    .unit = EvidenceUnit::none,
    .text = "it is not among those that Only= leaves us to act upon",
    .change = "another Only= in the section [lockfile]",
};
inline constexpr EvidenceRule ageless{
    .name = "ageless",
    .weight = Weight::opposes,
    .unit = EvidenceUnit::none,
    .text = "its file system does not say when files were born, so that it cannot be told from a later one",
    .change = "",
};
inline constexpr EvidenceRule anothers{
    .name = "anothers",
    .weight = Weight::opposes,
    .unit = EvidenceUnit::none,
    .text = "it is a file of another user, to which a name was given by link or rename",
    .change = "",
};
inline constexpr EvidenceRule unreachable{
    .name = "unreachable",
    .weight = Weight::opposes,
    .unit = EvidenceUnit::none,
    .text = "it cannot be looked at now",
    .change = "",
};

inline constexpr EvidenceRule data{
    .name = "holds-data",
    .weight = Weight::opposes,
    .unit = EvidenceUnit::bytes,
    .text = "it has {} of content, in which the pid of its creator is not: it may be a file that somebody "
            "wanted to "
            "write, and no lock",
    .change = "",
};
inline constexpr EvidenceRule renamed{
    .name = "renamed",
    .weight = Weight::opposes,
    .unit = EvidenceUnit::none,
    .text = "it got its name by rename, as mv gives one to any file",
    .change = "",
};
inline constexpr EvidenceRule for_others{
    .name = "made-for-others",
    .weight = Weight::opposes,
    .unit = EvidenceUnit::none,
    .text = "who made it is a program that copies files, or serves them to others",
    .change = "",
};

inline constexpr EvidenceRule left_by_heir{
    .name = "heir-exited",
    .weight = Weight::opposes,
    .unit = EvidenceUnit::none,
    .text = "one who had inherited it has exited by itself and left it, or how he has ended was not seen",
    .change = "",
};

inline constexpr EvidenceRule parent_lives{
    .name = "parent-lives",
    .weight = Weight::opposes,
    .unit = EvidenceUnit::none,
    .text = "who made it was a fork of its parent, as a subshell or a pool's worker is, and the parent goes "
            "on: it may "
            "be its lock",
    .change = "the parent ends",
};

inline constexpr std::array evidence_rules{created_exclusively,
                                           unseen,
                                           killed,
                                           rebooted,
                                           without_owner,
                                           unheld,
                                           names_its_creator,
                                           exited,
                                           unknown_owners,
                                           not_watched,
                                           held,
                                           unknown_holders,
                                           locked,
                                           advisory,
                                           names_a_living_one,
                                           names_one_elsewhere,
                                           other_names,
                                           remote,
                                           exported,
                                           mount_point,
                                           not_empty,
                                           too_large,
                                           changed_later,
                                           protected_file,
                                           out_of_bounds,
                                           ageless,
                                           anothers,
                                           unreachable,
                                           data,
                                           renamed,
                                           for_others,
                                           left_by_heir,
                                           parent_lives};

} // namespace egb::lockfile
