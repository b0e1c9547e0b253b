#include "hardware/machine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace assay::hardware {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Machine Captured(const std::string& name) {
  auto machine = Detect(std::filesystem::path(ASSAY_SOURCE_DIR) / "tests/machines" / name);
  EXPECT_TRUE(machine) << (machine ? "" : machine.error().message);
  return machine ? *machine : Machine{};
}

/// Ids of the warnings, without what depends on how this test was compiled.
std::vector<std::string> Ids(const Machine& machine) {
  std::vector<std::string> ids;
  for (const Warning& warning : machine.warnings) {
    if (warning.id != "build") {
      ids.push_back(warning.id);
    }
  }
  return ids;
}

const Warning* Find(const Machine& machine, const std::string& id) {
  const auto at = std::find_if(machine.warnings.begin(), machine.warnings.end(),
                               [&](const Warning& warning) { return warning.id == id; });
  return at == machine.warnings.end() ? nullptr : &*at;
}

TEST(DetectTest, ReadsACapturedVirtualMachine) {
  const Machine vm = Captured("vm-2-cpus");
  EXPECT_EQ(vm.facts.cpu, "AMD EPYC");
  EXPECT_EQ(vm.facts.physical_cores, 2);
  EXPECT_EQ(vm.facts.logical_cpus, 2);
  EXPECT_EQ(vm.facts.cpus_allowed, "0-1");
  EXPECT_EQ(vm.facts.memory_bytes, 24684084ull * 1024);
  EXPECT_EQ(vm.facts.os, "Debian GNU/Linux 12 (bookworm), Linux 6.18.44");
  EXPECT_THAT(vm.facts.isa,
              ElementsAre("sse4_2", "avx", "f16c", "fma", "avx2", "avx_vnni", "avx512f", "avx512bw",
                          "avx512dq", "avx512vl", "avx512_vnni", "avx512ifma", "avx512vbmi",
                          "avx512_vbmi2", "avx512_bf16"));
  EXPECT_EQ(vm.usable_cores, 2);
  EXPECT_THAT(vm.cpus, ElementsAre(0, 1));
  EXPECT_EQ(vm.available_bytes, 24210472ull * 1024);
  EXPECT_THAT(vm.devices, ElementsAre("cpu"));
}

TEST(DetectTest, SaysThatAVirtualMachineHidesItsTopology) {
  EXPECT_NE(Find(Captured("vm-2-cpus"), "topology"), nullptr);
  EXPECT_EQ(Find(Captured("constructed-container-v2"), "topology"), nullptr);
  EXPECT_EQ(Find(Captured("constructed-job-v1"), "topology"), nullptr);
}

TEST(DetectTest, CountsCoresAndNotHyperthreads) {
  const Machine desktop = Captured("constructed-smt-desktop");
  EXPECT_EQ(desktop.facts.physical_cores, 6);
  EXPECT_EQ(desktop.facts.logical_cpus, 12);
  EXPECT_EQ(desktop.usable_cores, 6);
  EXPECT_THAT(desktop.cpus, ElementsAre(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11));
  EXPECT_NE(Find(desktop, "smt"), nullptr);
}

TEST(DetectTest, PutsPerformanceCoresFirstOnAHybridProcessor) {
  const Machine hybrid = Captured("constructed-hybrid-desktop");
  EXPECT_EQ(hybrid.facts.physical_cores, 12);
  EXPECT_EQ(hybrid.usable_cores, 12);
  EXPECT_THAT(hybrid.cpus,
              ElementsAre(0, 2, 4, 6, 8, 10, 12, 14, 16, 17, 18, 19, 1, 3, 5, 7, 9, 11, 13, 15));
  ASSERT_NE(Find(hybrid, "hybrid"), nullptr);
  EXPECT_THAT(Find(hybrid, "hybrid")->message, HasSubstr("8 performance and 4 efficiency cores"));
  EXPECT_THAT(Find(hybrid, "hybrid")->remedy, HasSubstr("--threads 8"));
}

TEST(DetectTest, TellsKindsOfCoresByCapacityOnArm) {
  const Machine laptop = Captured("constructed-arm-laptop");
  EXPECT_THAT(laptop.cpus, ElementsAre(4, 5, 6, 7, 0, 1, 2, 3));
  EXPECT_EQ(laptop.facts.cpu, "Arm 0x61 part 0x022");
  EXPECT_THAT(laptop.facts.isa, ElementsAre("asimd", "asimdhp", "asimddp", "i8mm", "bf16"));
}

TEST(DetectTest, RoundsAQuotaDownToWholeCores) {
  const Machine container = Captured("constructed-container-v2");
  EXPECT_EQ(container.usable_cores, 1);
  EXPECT_THAT(container.cpus, ElementsAre(0, 1, 2, 3));
  EXPECT_EQ(container.facts.cpus_allowed, "0-3");
  EXPECT_EQ(container.facts.physical_cores, 4);
  ASSERT_NE(Find(container, "quota"), nullptr);
  EXPECT_THAT(Find(container, "quota")->message, HasSubstr("1.50 CPUs"));
  ASSERT_NE(Find(container, "throttled"), nullptr);
  EXPECT_THAT(Find(container, "throttled")->message, HasSubstr("37 times"));
}

TEST(DetectTest, TakesTheTightestOfNestedGroupsInVersionOne) {
  const Machine job = Captured("constructed-job-v1");
  EXPECT_EQ(job.facts.physical_cores, 16);
  EXPECT_EQ(job.usable_cores, 3);  // quota of the outer group; four CPUs in the mask
  EXPECT_THAT(job.cpus, ElementsAre(2, 3, 4, 5));
  EXPECT_EQ(job.facts.memory_bytes, 16ull << 30);
  EXPECT_EQ(job.available_bytes, 15ull << 30);  // 16 - 2 used + 1 of these cache
}

TEST(DetectTest, FindsTheDriverOfNvidiaGpus) {
  EXPECT_THAT(Captured("constructed-job-v1").devices, ElementsAre("cpu", "cuda"));
}

TEST(DetectTest, CountsCacheOfALimitedGroupAsFree) {
  const Machine container = Captured("constructed-container-v2");
  EXPECT_EQ(container.facts.memory_bytes, 4ull << 30);
  EXPECT_EQ(container.available_bytes, 2ull << 30);
}

TEST(WarningsTest, AreThoseOfEachMachine) {
  EXPECT_THAT(Ids(Captured("vm-2-cpus")), ElementsAre("load", "turbo", "topology"));
  EXPECT_THAT(Ids(Captured("constructed-smt-desktop")),
              ElementsAre("load", "governor", "turbo", "smt", "swap"));
  EXPECT_THAT(Ids(Captured("constructed-hybrid-desktop")), ElementsAre("smt", "hybrid"));
  EXPECT_THAT(Ids(Captured("constructed-container-v2")),
              ElementsAre("quota", "throttled", "cpuset", "steal", "turbo"));
  EXPECT_THAT(Ids(Captured("constructed-job-v1")), ElementsAre("quota", "cpuset", "turbo"));
  EXPECT_THAT(Ids(Captured("constructed-arm-laptop")),
              ElementsAre("governor", "turbo", "hybrid", "battery", "memory"));
}

TEST(WarningsTest, EachHasAMessageAndARemedyAndStandsInTheRecord) {
  for (const char* name : {"vm-2-cpus", "constructed-smt-desktop", "constructed-container-v2"}) {
    const Machine machine = Captured(name);
    ASSERT_EQ(machine.facts.warnings.size(), machine.warnings.size());
    for (std::size_t i = 0; i < machine.warnings.size(); ++i) {
      EXPECT_EQ(machine.facts.warnings[i], machine.warnings[i].message);
      EXPECT_NE(machine.warnings[i].message, "");
      EXPECT_NE(machine.warnings[i].remedy, "");
    }
  }
}

TEST(WarningsTest, ALoadMakesMistrustOnlyWhenItFillsTheMachineNow) {
  EXPECT_TRUE(Find(Captured("constructed-smt-desktop"), "load")->mistrust);
  EXPECT_FALSE(Find(Captured("vm-2-cpus"), "load")->mistrust);  // pressure of the past, none now
}

TEST(DetectTest, ReadsThisMachine) {
  const auto here = Detect();
  ASSERT_TRUE(here);
  EXPECT_GE(here->usable_cores, 1);
  EXPECT_LE(here->usable_cores, here->facts.physical_cores);
  EXPECT_LE(here->facts.physical_cores, here->facts.logical_cpus);
  EXPECT_FALSE(here->cpus.empty());
  EXPECT_GT(here->available_bytes, 0);
  EXPECT_LE(here->available_bytes, here->facts.memory_bytes);
}

TEST(DetectTest, RefusesATreeWithoutProc) {
  const auto nothing = Detect(std::filesystem::path(ASSAY_SOURCE_DIR) / "src");
  ASSERT_FALSE(nothing);
  EXPECT_EQ(nothing.error().code, Code::kUnsupported);
  EXPECT_THAT(nothing.error().message, HasSubstr("proc/meminfo"));
}

}  // namespace
}  // namespace assay::hardware
