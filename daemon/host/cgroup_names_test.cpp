// SPDX-License-Identifier: Apache-2.0
#include "host/cgroup_names.hpp"

#include <gmock/gmock.h>

#include <ostream>
#include <string>

namespace egb::host {

namespace {

const std::string id = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
const std::string other_id = "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752";

struct Sample {
    std::string text;
    std::string unit;
    std::string container;

    friend std::ostream& operator<<(std::ostream& out, const Sample& sample) { return out << sample.text; }
};

class CgroupPath : public testing::TestWithParam<Sample> {};

TEST_P(CgroupPath, NamesUnitAndContainer) {
    const auto& [path, unit, container] = GetParam();
    const auto names = names_of_cgroup(path);
    EXPECT_EQ(names.unit, unit);
    EXPECT_EQ(names.container, container);
}

INSTANTIATE_TEST_SUITE_P(
    Systemd, CgroupPath,
    testing::Values(
        Sample{"/", "", ""}, Sample{"", "", ""}, Sample{"/system.slice", "", ""},
        Sample{"/init.scope", "init.scope", ""}, Sample{"/system.slice/ssh.service", "ssh.service", ""},
        Sample{"/system.slice/ssh.service (deleted)", "ssh.service", ""},
        Sample{"/../../system.slice/cron.service", "cron.service", ""},
        Sample{"/system.slice/system-getty.slice/getty@tty1.service", "getty@tty1.service", ""},
        Sample{"/system.slice/_cpu.service", "cpu.service", ""},
        Sample{"/system.slice/home-eva.mount", "home-eva.mount", ""},
        Sample{"/system.slice/udev.service/workers", "udev.service", ""},
        Sample{"/user.slice/user-1000.slice/session-3.scope", "session-3.scope", ""},
        Sample{"/user.slice/user-1000.slice/user@1000.service/app.slice/foo.service", "foo.service", ""},
        Sample{"/user.slice/user-1000.slice/user@1000.service/init.scope", "init.scope", ""},
        Sample{R"(/user.slice/user-1000.slice/user@1000.service/app.slice/app-org.x\x2dy-7.scope)",
               R"(app-org.x\x2dy-7.scope)", ""},
        Sample{"/odd.slice/\xff\n.service", R"(\xff\x0a.service)", ""}, Sample{"/.service", "", ""}));

INSTANTIATE_TEST_SUITE_P(
    Engines, CgroupPath,
    testing::Values(
        Sample{"/system.slice/docker-" + id + ".scope", "docker-" + id + ".scope", id},
        Sample{"/docker/" + id, "", id}, Sample{"/docker/" + id + "/system.slice/x.service", "x.service", id},
        Sample{"/docker/" + id + "/docker/" + other_id, "", other_id},
        Sample{"/machine.slice/libpod-" + id + ".scope/container", "libpod-" + id + ".scope", id},
        Sample{"/libpod_parent/libpod-" + id, "", id},
        Sample{"/system.slice/web.service/libpod-payload-" + id, "web.service", id},
        Sample{"/machine.slice/libpod-conmon-" + id + ".scope", "libpod-conmon-" + id + ".scope", ""},
        Sample{"/machine.slice/machine-libpod_pod_" + id + ".slice", "", ""},
        Sample{"/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod1_2.slice/cri-containerd-" +
                   id + ".scope",
               "cri-containerd-" + id + ".scope", id},
        Sample{"/kubepods.slice/kubepods-pod1.slice/crio-" + id + ".scope", "crio-" + id + ".scope", id},
        Sample{"/kubepods.slice/kubepods-pod1.slice/crio-conmon-" + id + ".scope",
               "crio-conmon-" + id + ".scope", ""},
        Sample{"/kubepods/burstable/pod0a4c-11/" + id, "", id},
        Sample{"/kubepods/burstable/pod0a4c-11", "", ""},
        Sample{"/system.slice/containerd.service/kubepods-burstable-pod1.slice:cri-containerd:" + id,
               "containerd.service", id},
        Sample{"/docker/" + id.substr(1), "", ""}, Sample{"/docker/" + id.substr(1) + "g", "", ""}));

INSTANTIATE_TEST_SUITE_P(
    Machines, CgroupPath,
    testing::Values(
        Sample{"/lxc/web/init.scope", "init.scope", "web"},
        Sample{"/lxc.payload.web/system.slice/nginx.service", "nginx.service", "web"},
        Sample{"/lxc.payload/web", "", "web"}, Sample{"/lxc.monitor.web", "", ""}, Sample{"/lxc", "", ""},
        Sample{R"(/machine.slice/machine-my\x2dbox.scope)", R"(machine-my\x2dbox.scope)", "my-box"},
        Sample{"/machine.slice/machine-box.scope/supervisor", "machine-box.scope", ""},
        Sample{"/machine.slice/systemd-nspawn@box.service/payload/system.slice/a.service", "a.service",
               "box"},
        Sample{"/machine.slice/systemd-nspawn@box.service/supervisor", "systemd-nspawn@box.service", ""},
        Sample{"/machine.slice/systemd-nspawn@a.service/payload/machine.slice/machine-b.scope/supervisor",
               "machine-b.scope", "a"},
        Sample{R"(/machine.slice/machine-bad\xzz\x2.scope)", R"(machine-bad\xzz\x2.scope)",
               R"(bad\xzz\x2)"}));

class CgroupFile : public testing::TestWithParam<Sample> {};

TEST_P(CgroupFile, NamesUnitAndContainer) {
    const auto& [text, unit, container] = GetParam();
    const auto names = names_of_cgroup_file(text);
    EXPECT_EQ(names.unit, unit);
    EXPECT_EQ(names.container, container);
}

INSTANTIATE_TEST_SUITE_P(
    Hierarchies, CgroupFile,
    testing::Values(
        Sample{"", "", ""}, Sample{"nonsense\n::\n7\n", "", ""},
        Sample{"0::/system.slice/a.service\n", "a.service", ""},
        Sample{"0::/system.slice/a.service", "a.service", ""},
        Sample{
            "9:name=systemd:/system.slice/a.service\n4:memory:/other/b.service\n0::/system.slice/a.service\n",
            "a.service", ""},
        Sample{"4:memory:/system.slice/b.service\n1:name=systemd:/system.slice/a.service\n", "a.service", ""},
        Sample{"9:name=systemd:/\n0::/system.slice/a.service\n", "a.service", ""},
        Sample{"9:name=systemd:/\n4:memory:/docker/" + id + "\n0::/\n", "", id},
        Sample{"5:cpu,cpuacct:/odd:name.service\n", "odd:name.service", ""},
        Sample{"9:name=systemd:/system.slice/docker.service\n4:memory:/docker/" + id + "\n0::/\n",
               "docker.service", id}));

TEST(CgroupNames, NameEveryUnitAroundTheInnermostOne) {
    using testing::ElementsAre;
    EXPECT_THAT(names_of_cgroup("/system.slice/cron.service").around, ElementsAre("system.slice"));
    EXPECT_THAT(
        names_of_cgroup("/user.slice/user-1000.slice/user@1000.service/app.slice/foo.service/worker").around,
        ElementsAre("user.slice", "user-1000.slice", "user@1000.service", "app.slice"));
    EXPECT_THAT(
        names_of_cgroup("/machine.slice/systemd-nspawn@box.service/payload/system.slice/a.service").around,
        ElementsAre("machine.slice", "systemd-nspawn@box.service", "system.slice"));
    EXPECT_THAT(names_of_cgroup("/init.scope").around, ElementsAre());
    EXPECT_THAT(names_of_cgroup("/.slice/kubepods").around, ElementsAre());
}

TEST(CgroupNames, ComeFromOneAndTheSameHierarchy) {
    using testing::ElementsAre;
    const auto names = names_of_cgroup_file("4:memory:/other.slice/b.service\n0::/system.slice/a.service\n");
    EXPECT_EQ(names.unit, "a.service");
    EXPECT_THAT(names.around, ElementsAre("system.slice"));
    EXPECT_THAT(names_of_cgroup_file("4:memory:/other.slice/b.service\n0::/odd.slice\n").around,
                ElementsAre("other.slice"));
    EXPECT_THAT(names_of_cgroup_file("4:memory:/\n0::/odd.slice\n").around, ElementsAre("odd.slice"));
}

} // namespace

} // namespace egb::host
