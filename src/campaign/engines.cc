#include "campaign/engines.h"

#include <fmt/format.h>

#include <memory>
#include <optional>
#include <utility>

namespace assay::campaign {
namespace {

Result<engine::Description> Check(const std::string& name, const Result<Json>& reply) {
  if (!reply.ok()) {
    return reply.error();
  }
  ASSAY_ASSIGN(engine::Description description, engine::DescriptionFromJson(*reply));
  if (description.protocol != engine::kProtocolVersion) {
    return Error{Code::kUnavailable,
                 fmt::format("assay-engine-{} speaks protocol {}, this assay {}", name,
                             description.protocol, engine::kProtocolVersion),
                 "build both from one checkout"};
  }
  if (!description.available) {
    return Error{Code::kUnavailable, description.reason, description.hint};
  }
  return description;
}

}  // namespace

Descriptions DescribeEngines(const std::set<std::string>& engines, double timeout_s,
                             Workshop& workshop) {
  Descriptions descriptions;
  std::map<std::string, std::unique_ptr<Worker>> workers;
  for (const std::string& name : engines) {
    auto worker = workshop.Start({.engine = name, .variables = {}, .cpus = {}});
    if (!worker.ok()) {
      descriptions.emplace(name, worker.error());
      continue;
    }
    (*worker)->Send(engine::MakeRequest("describe"), timeout_s);
    workers.emplace(name, *std::move(worker));
  }
  for (auto& [name, worker] : workers) {
    descriptions.emplace(name, Check(name, worker->Receive()));
    worker->Close();
  }
  return descriptions;
}

Status CheckReadable(const std::filesystem::path& onnx, const std::vector<std::string>& engines,
                     double timeout_s, Workshop& workshop) {
  std::optional<Error> refusal;
  for (const std::string& name : engines) {
    auto worker = workshop.Start({.engine = name, .variables = {}, .cpus = {}});
    if (!worker.ok()) {
      continue;
    }
    const Result<Json> reply =
        (*worker)->Ask(engine::MakeRequest("examine", {{"onnx", onnx.string()}}), timeout_s);
    if (reply.ok()) {
      return {};
    }
    if (!refusal) {
      const bool lacks = reply.error().code == Code::kUnsupported;
      refusal = Error{lacks ? Code::kUnsupported : Code::kMalformed,
                      fmt::format("no runtime here can read {}: {}: {}", onnx.string(), name,
                                  reply.error().message),
                      reply.error().hint};
    }
  }
  return refusal ? Status(*std::move(refusal)) : Status();
}

}  // namespace assay::campaign
