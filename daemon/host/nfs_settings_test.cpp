// SPDX-License-Identifier: Apache-2.0
#include "host/nfs_settings.hpp"

#include <gtest/gtest.h>

namespace egb::host {
namespace {

const NfsFile main_file{.path = "/etc/nfs.conf"};

TEST(NfsSettingsTest, are_those_of_their_sections) {
    NfsSettings settings;
    add_settings(settings, main_file,
                 "# [mountd]\n[statd]\nstate-directory-path=/var/lib/nfs/statd\n"
                 "[ mountd ]\n state-directory-path = /srv/nfs state\n;state-directory-path=/no\n"
                 "[exportd]\nState-Directory-Path=\"/srv/other\"\n[exports]\nrootdir=/srv/root\n");
    EXPECT_EQ(settings, (NfsSettings{.states = {"/srv/nfs state", "/srv/other"}, .roots = {"/srv/root"}}));
    add_settings(settings, main_file, "[exports]\nrootdir=/\n[nfsd]\nrootdir=/no\nthreads=8\nnonsense\n");
    EXPECT_EQ(settings.roots, (std::vector<std::string>{"/srv/root", "/"}));
}

TEST(NfsSettingsTest, are_read_without_what_is_said_beside_them) {
    NfsSettings settings;
    add_settings(
        settings, main_file,
        "[exports]\nrootdir=/srv/a # chroot\nrootdir = /srv/b; as of old\n"
        "rootdir=\"/srv/#c\" # quoted\nrootdir='/srv/d\nrootdir=\\\n/srv/e\n# C:\\\r\nrootdir=/srv/f\r\n");
    EXPECT_EQ(settings.roots,
              (std::vector<std::string>{"/srv/a", "/srv/b", "/srv/#c", "/srv/d", "/srv/e", "/srv/f"}));
}

TEST(NfsSettingsTest, another_file_goes_on_in_the_section_that_it_is_named_in) {
    NfsSettings settings;
    add_settings(
        settings, main_file,
        "[Exports]\ninclude = -nfs.conf.local\n[environment]\nInclude=/srv/x\ninclude=\ninclude = -\n");
    EXPECT_EQ(settings.includes, (std::vector<NfsFile>{{.path = "/etc/nfs.conf.local", .section = "exports"},
                                                       {.path = "/srv/x", .section = "environment"}}));
    add_settings(settings, settings.includes.front(), "rootdir=/srv/root\n");
    EXPECT_EQ(settings.roots, (std::vector<std::string>{"/srv/root"}));
}

TEST(NfsSettingsTest, nothing_says_nothing) {
    NfsSettings settings;
    add_settings(settings, main_file, "");
    add_settings(settings, main_file, "[\n=\n[]\n\\\n\"\n[exports]\n=\"");
    EXPECT_EQ(settings, NfsSettings{});
}

} // namespace
} // namespace egb::host
