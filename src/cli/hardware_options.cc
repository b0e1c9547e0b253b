#include "cli/hardware_options.h"

#include "base/file.h"
#include "base/text.h"
#include "cli/terminal.h"
#include "hardware/calibrate.h"
#include "hardware/machine.h"
#include "hardware/profiles.h"

namespace assay::cli {

bool IsThisMachine(const std::string& name) {
  if (ToLower(name) == "this") {
    return true;
  }
  const Result<hardware::Machine> machine = hardware::Detect();
  return machine.ok() && hardware::SameName(name, machine->facts.cpu) &&
         !hardware::FindProfile(name).ok();
}

Result<hardware::Profile> FindHardware(const std::string& name) {
  if (IsThisMachine(name)) {
    return hardware::ThisProfile(HomeDirectory() / "hardware",
                                 [](const std::string& line) { Say(line); });
  }
  if (ToLower(name).ends_with(".json") || name.find('/') != std::string::npos) {
    return hardware::ReadProfile(name);
  }
  return hardware::FindProfile(name);
}

}  // namespace assay::cli
