// SPDX-License-Identifier: Apache-2.0
#include "host/cgroup_names.hpp"

#include <gmock/gmock.h>

#include <ostream>
#include <string>

namespace egb::host {

namespace {

const std::string id = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
const std::string other_id = "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752";

struct CgroupSample {
    std::string text;
    std::string unit;
    std::string container;

    friend std::ostream& operator<<(std::ostream& out, const CgroupSample& sample) {
        return out << sample.text;
    }
};

class CgroupPath : public testing::TestWithParam<CgroupSample> {};

TEST_P(CgroupPath, NamesUnitAndContainer) {
    const auto& [path, unit, container] = GetParam();
    const auto names = names_of_cgroup(path);
    EXPECT_EQ(names.unit, unit);
    EXPECT_EQ(names.container, container);
}

INSTANTIATE_TEST_SUITE_P(
    Systemd, CgroupPath,
    testing::Values(
        CgroupSample{"/", "", ""}, CgroupSample{"", "", ""}, CgroupSample{"/system.slice", "", ""},
        CgroupSample{"/init.scope", "init.scope", ""},
        CgroupSample{"/system.slice/ssh.service", "ssh.service", ""},
        CgroupSample{"/system.slice/ssh.service (deleted)", "ssh.service", ""},
        CgroupSample{"/../../system.slice/cron.service", "cron.service", ""},
        CgroupSample{"/system.slice/system-getty.slice/getty@tty1.service", "getty@tty1.service", ""},
        CgroupSample{"/system.slice/_cpu.service", "cpu.service", ""},
        CgroupSample{"/system.slice/home-eva.mount", "home-eva.mount", ""},
        CgroupSample{"/system.slice/udev.service/workers", "udev.service", ""},
        CgroupSample{"/user.slice/user-1000.slice/session-3.scope", "session-3.scope", ""},
        CgroupSample{"/user.slice/user-1000.slice/user@1000.service/app.slice/foo.service", "foo.service",
                     ""},
        CgroupSample{"/user.slice/user-1000.slice/user@1000.service/init.scope", "init.scope", ""},
        CgroupSample{R"(/user.slice/user-1000.slice/user@1000.service/app.slice/app-org.x\x2dy-7.scope)",
                     R"(app-org.x\x2dy-7.scope)", ""},
        CgroupSample{"/odd.slice/\xff\n.service", R"(\xff\x0a.service)", ""},
        CgroupSample{"/.service", "", ""}));

INSTANTIATE_TEST_SUITE_P(
    Engines, CgroupPath,
    testing::Values(
        CgroupSample{"/system.slice/docker-" + id + ".scope", "docker-" + id + ".scope", id},
        CgroupSample{"/docker/" + id, "", id},
        CgroupSample{"/docker/" + id + "/system.slice/x.service", "x.service", id},
        CgroupSample{"/docker/" + id + "/docker/" + other_id, "", other_id},
        CgroupSample{"/machine.slice/libpod-" + id + ".scope/container", "libpod-" + id + ".scope", id},
        CgroupSample{"/libpod_parent/libpod-" + id, "", id},
        CgroupSample{"/system.slice/web.service/libpod-payload-" + id, "web.service", id},
        CgroupSample{"/machine.slice/libpod-conmon-" + id + ".scope", "libpod-conmon-" + id + ".scope", ""},
        CgroupSample{"/machine.slice/machine-libpod_pod_" + id + ".slice", "", ""},
        CgroupSample{
            "/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod1_2.slice/cri-containerd-" +
                id + ".scope",
            "cri-containerd-" + id + ".scope", id},
        CgroupSample{"/kubepods.slice/kubepods-pod1.slice/crio-" + id + ".scope", "crio-" + id + ".scope",
                     id},
        CgroupSample{"/kubepods.slice/kubepods-pod1.slice/crio-conmon-" + id + ".scope",
                     "crio-conmon-" + id + ".scope", ""},
        CgroupSample{"/kubepods/burstable/pod0a4c-11/" + id, "", id},
        CgroupSample{"/kubepods/burstable/pod0a4c-11", "", ""},
        CgroupSample{"/system.slice/containerd.service/kubepods-burstable-pod1.slice:cri-containerd:" + id,
                     "containerd.service", id},
        CgroupSample{"/docker/" + id.substr(1), "", ""},
        CgroupSample{"/docker/" + id.substr(1) + "g", "", ""}));

INSTANTIATE_TEST_SUITE_P(
    Machines, CgroupPath,
    testing::Values(
        CgroupSample{"/lxc/web/init.scope", "init.scope", "web"},
        CgroupSample{"/lxc.payload.web/system.slice/nginx.service", "nginx.service", "web"},
        CgroupSample{"/lxc.payload/web", "", "web"}, CgroupSample{"/lxc.monitor.web", "", ""},
        CgroupSample{"/lxc", "", ""},
        CgroupSample{R"(/machine.slice/machine-my\x2dbox.scope)", R"(machine-my\x2dbox.scope)", "my-box"},
        CgroupSample{"/machine.slice/machine-box.scope/supervisor", "machine-box.scope", ""},
        CgroupSample{"/machine.slice/systemd-nspawn@box.service/payload/system.slice/a.service", "a.service",
                     "box"},
        CgroupSample{"/machine.slice/systemd-nspawn@box.service/supervisor", "systemd-nspawn@box.service",
                     ""},
        CgroupSample{
            "/machine.slice/systemd-nspawn@a.service/payload/machine.slice/machine-b.scope/supervisor",
            "machine-b.scope", "a"},
        CgroupSample{R"(/machine.slice/machine-bad\xzz\x2.scope)", R"(machine-bad\xzz\x2.scope)",
                     R"(bad\xzz\x2)"}));

class CgroupFile : public testing::TestWithParam<CgroupSample> {};

TEST_P(CgroupFile, NamesUnitAndContainer) {
    const auto& [text, unit, container] = GetParam();
    const auto names = names_of_cgroup_file(text);
    EXPECT_EQ(names.unit, unit);
    EXPECT_EQ(names.container, container);
}

INSTANTIATE_TEST_SUITE_P(
    Hierarchies, CgroupFile,
    testing::Values(
        CgroupSample{"", "", ""}, CgroupSample{"nonsense\n::\n7\n", "", ""},
        CgroupSample{"0::/system.slice/a.service\n", "a.service", ""},
        CgroupSample{"0::/system.slice/a.service", "a.service", ""},
        CgroupSample{
            "9:name=systemd:/system.slice/a.service\n4:memory:/other/b.service\n0::/system.slice/a.service\n",
            "a.service", ""},
        CgroupSample{"4:memory:/system.slice/b.service\n1:name=systemd:/system.slice/a.service\n",
                     "a.service", ""},
        CgroupSample{"9:name=systemd:/\n0::/system.slice/a.service\n", "a.service", ""},
        CgroupSample{"9:name=systemd:/\n4:memory:/docker/" + id + "\n0::/\n", "", id},
        CgroupSample{"5:cpu,cpuacct:/odd:name.service\n", "odd:name.service", ""},
        CgroupSample{"9:name=systemd:/system.slice/docker.service\n4:memory:/docker/" + id + "\n0::/\n",
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
