#include "cli/surroundings.h"

#include "base/file.h"
#include "cli/installed.h"

namespace assay::cli {

conversion::Host HostOf(const hardware::Machine& machine) {
  return {.isa = machine.facts.isa, .devices = machine.devices};
}

campaign::Surroundings SurroundingsOf(const hardware::Machine& machine) {
  return {.engines = ProgramFolder(),
          .home = HomeDirectory(),
          .machine = machine.facts,
          .physical_cores = machine.usable_cores,
          .cpus = machine.cpus,
          .mistrust_reasons = {},
          .roles = {},
          .host = HostOf(machine)};
}

}  // namespace assay::cli
