// SPDX-License-Identifier: Apache-2.0
#include "host/nfs_settings.hpp"

#include <gtest/gtest.h>

namespace egb::host {
namespace {

TEST(NfsSettingsTest, are_those_of_their_sections) {
    NfsSettings settings;
    add_settings(settings, "# [mountd]\n[statd]\nstate-directory-path=/var/lib/nfs/statd\n"
                           "[ mountd ]\n state-directory-path = /srv/nfs state\n;state-directory-path=/no\n"
                           "[exportd]\nState-Directory-Path=\"/srv/other\"\n[exports]\nrootdir=/srv/root\n");
    EXPECT_EQ(settings, (NfsSettings{.states = {"/srv/nfs state", "/srv/other"}, .roots = {"/srv/root"}}));
    add_settings(settings, "[exports]\nrootdir=/\n[nfsd]\nrootdir=/no\nthreads=8\nnonsense\n");
    EXPECT_EQ(settings.roots, (std::vector<std::string>{"/srv/root", "/"}));
}

TEST(NfsSettingsTest, nothing_says_nothing) {
    NfsSettings settings;
    add_settings(settings, "");
    add_settings(settings, "[\n=\n[]\n");
    EXPECT_EQ(settings, NfsSettings{});
}

} // namespace
} // namespace egb::host
