#include "usage_object.h"

#include "hsu/arguments.h"
#include "usage.h"

namespace hsu {

namespace {

constexpr size_t kGroupWidth = sizeof(GroupUsage) / sizeof(double);
constexpr size_t kProcessWidth = sizeof(ProcessUsage) / sizeof(double);

// Takes the next of the texts, each of which ends with a NUL.
std::string take_text(const std::string& texts, size_t& at) {
  size_t end = std::min(texts.find('\0', at), texts.size());
  std::string text = texts.substr(at, end - at);
  at = std::min(end + 1, texts.size());
  return text;
}

// Of each tree: its directory in `texts`, then as many numbers as it takes: how many controllers, which (their
// directories follow in `texts`), how many pids, which.
std::vector<TreePlace> read_places(const std::string& texts, const Napi::Float64Array& numbers) {
  std::vector<TreePlace> places;
  size_t text = 0, at = 0, length = numbers.ElementLength();
  const double* number = numbers.Data();
  auto take = [&] { return at < length ? static_cast<size_t>(number[at++]) : 0; };
  while (at < length) {
    TreePlace& place = places.emplace_back();
    place.group.directory = take_text(texts, text);
    for (size_t left = take(); left > 0 && at < length; --left) {
      size_t controller = take();
      std::string directory = take_text(texts, text);
      if (controller < kControllers) place.group.controllers[controller] = std::move(directory);
    }
    for (size_t left = take(); left > 0 && at < length; --left) place.pids.push_back(static_cast<pid_t>(take()));
  }
  return places;
}

template <class Row>
double* write_row(double* at, const Row& row) {
  static_assert(sizeof(Row) % sizeof(double) == 0);
  return std::copy_n(reinterpret_cast<const double*>(&row), sizeof(Row) / sizeof(double), at);
}

}  // namespace

// Of each tree: whether it has a group, the group's numbers if so, how many processes, the numbers of each.
Napi::Value sample_trees_flat(const Napi::CallbackInfo& info) {
  auto texts = glue::text(info[0], "texts");
  if (!info[1].IsTypedArray()) throw Napi::TypeError::New(info.Env(), "numbers must be a Float64Array");
  UsageDetail detail = {glue::boolean(info[2], "pss"), glue::boolean(info[3], "connections"),
                        glue::boolean(info[4], "pressure"), glue::boolean(info[5], "descriptors")};
  auto trees = sample_trees(read_places(texts, info[1].As<Napi::Float64Array>()), detail);
  size_t length = 0;
  for (const TreeUsage& tree : trees) {
    length += 2 + (tree.group ? kGroupWidth : 0) + tree.processes.size() * kProcessWidth;
  }
  auto numbers = Napi::Float64Array::New(info.Env(), length);
  double* at = numbers.Data();
  for (const TreeUsage& tree : trees) {
    *at++ = tree.group.has_value();
    if (tree.group) at = write_row(at, *tree.group);
    *at++ = static_cast<double>(tree.processes.size());
    for (const ProcessUsage& process : tree.processes) at = write_row(at, process);
  }
  return numbers;
}

}  // namespace hsu
