#include "limits_object.h"

#include "hsu/arguments.h"

namespace hsu {

using glue::integer;

namespace {

std::optional<int> optional_integer(const Napi::Object& given, const char* name) {
  Napi::Value value = given.Get(name);
  if (value.IsNull()) return std::nullopt;
  return integer<int>(value, name);
}

rlim_t limit_value(int64_t given) { return given < 0 ? RLIM_INFINITY : static_cast<rlim_t>(given); }

}  // namespace

ProcessLimits read_process_limits(const Napi::Object& given) {
  ProcessLimits limits;
  auto resources = glue::integers<int64_t>(given.Get("rlimits"), "rlimits");
  for (size_t at = 0; at + 2 < resources.size(); at += 3) {
    auto resource = glue::whole<uint8_t>(given.Env(), static_cast<double>(resources[at]), "rlimits");
    limits.resources.push_back({resource, {limit_value(resources[at + 1]), limit_value(resources[at + 2])}});
  }
  limits.nice = optional_integer(given, "nice");
  constexpr size_t kBits = 8 * sizeof(unsigned long);
  for (auto cpu : glue::integers<uint16_t>(given.Get("affinity"), "affinity")) {
    if (limits.affinity.size() <= cpu / kBits) limits.affinity.resize(cpu / kBits + 1);
    limits.affinity[cpu / kBits] |= 1ul << cpu % kBits;
  }
  if (auto policy = optional_integer(given, "policy")) {
    limits.scheduler = Scheduler{*policy, integer<int>(given.Get("priority"), "priority")};
  }
  limits.io_priority = optional_integer(given, "ioPriority");
  limits.oom_score_adj = optional_integer(given, "oomScoreAdj");
  return limits;
}

void read_spawn_limits(const Napi::Value& given, LaunchOptions& options) {
  if (given.IsNull()) return;
  auto limits = glue::object(given, "limits");
  options.limits = read_process_limits(limits);
  options.cgroup = glue::text(limits.Get("cgroup"), "cgroup");
  options.make_cgroup = glue::boolean(limits.Get("makeCgroup"), "makeCgroup");
  options.joins = glue::text(limits.Get("joins"), "joins");
  options.no_new_privs = glue::boolean(limits.Get("noNewPrivs"), "noNewPrivs");
}

}  // namespace hsu
