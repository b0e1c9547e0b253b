#include <fmt/format.h>

#include <filesystem>
#include <system_error>

#include "base/file.h"
#include "base/text.h"
#include "cli/folders.h"
#include "cli/list_options.h"
#include "cli/terminal.h"
#include "cli/verb.h"

namespace assay::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* kExamples =
    "Examples:\n"
    "  assay cache                    what is kept, where, how large\n"
    "  assay cache --clear            frees all that is made again when needed; records stay\n"
    "  assay cache --clear=all        the records and the installed runtimes too";

struct Part {
  const char* name;
  const char* holds;
  bool cleared;  // by --clear alone; the rest by --clear=all
};
constexpr Part kParts[] = {
    {"models", "models of the zoo, built; files with --weights; Python modules, captured", true},
    {"artifacts", "compiled packages, quantised graphs", true},
    {"extensions", "C++ that quantisers build for themselves", true},
    {"programs", "models as PyTorch calls", true},
    {"inputs", "inputs drawn for models", true},
    {"references", "outputs to judge by", true},
    {"tmp", "temporary files", true},
    {"log", "logs of the set-up", true},
    {"journals", "runs that were interrupted, until they go on", false},
    {"records", "records of every run", false},
    {"env", "the installed runtimes (tools/setup.sh makes them again)", false}};

struct CacheOptions {
  ListOptions list;
  std::string clear = "no";
};

report::List Describe(const fs::path& home) {
  report::List list{
      "cache",
      Json::array(),
      {{"name", {"name"}}, {"bytes", {"size", true}}, {"holds", {"holds"}}, {"path", {"path"}}}};
  for (const Part& part : kParts) {
    list.items.push_back({{"name", part.name},
                          {"bytes", TreeBytes(home / part.name)},
                          {"holds", part.holds},
                          {"path", (home / part.name).string()}});
  }
  return list;
}

Status Clear(const fs::path& home, bool all) {
  std::uint64_t freed = 0;
  for (const Part& part : kParts) {
    const fs::path path = home / part.name;
    if (!(all || part.cleared) || !fs::exists(path)) {
      continue;
    }
    const std::uint64_t bytes = TreeBytes(path);
    std::error_code error;
    fs::remove_all(path, error);
    if (error) {
      return Error{Code::kIo, fmt::format("cannot remove {}: {}", path.string(), error.message()),
                   ""};
    }
    freed += bytes;
  }
  return WriteOut(fmt::format("freed {} in {}\n", FormatBytes(freed), home.string()));
}

Result<int> Cache(const CacheOptions& options) {
  const fs::path home = HomeDirectory();
  if (options.clear == "no") {
    ASSAY_ASSIGN(const int status, PrintList(Describe(home), options.list));
    if (options.list.format == "text" && options.list.name.empty()) {
      ASSAY_TRY(WriteOut(fmt::format("\nin {}\n", home.string())));
    }
    return status;
  }
  if (options.clear != "yes" && options.clear != "all") {
    return Error{Code::kInvalidArgument, fmt::format("--clear={} has no meaning", options.clear),
                 "--clear, or --clear=all for the records and runtimes too"};
  }
  ASSAY_TRY(Clear(home, options.clear == "all"));
  return 0;
}

}  // namespace

Verb AddCache(CLI::App& app) {
  const auto options = std::make_shared<CacheOptions>();
  CLI::App* verb = app.add_subcommand("cache", "what is cached, where, how large");
  options->list.AddTo(*verb, "a part");
  verb->add_flag("--clear{yes}", options->clear, "removes it (see the examples)");
  verb->footer(kExamples);
  return {verb, [options](const auto&) { return Cache(*options); }};
}

}  // namespace assay::cli
