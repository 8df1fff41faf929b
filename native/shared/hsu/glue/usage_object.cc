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

template <class Row>
double* write_row(double* at, const Row& row) {
  static_assert(sizeof(Row) % sizeof(double) == 0);
  return std::copy_n(reinterpret_cast<const double*>(&row), sizeof(Row) / sizeof(double), at);
}

}  // namespace

// Of each tree: its directory in `texts`, then as many numbers as it takes: how many controllers, which (their
// directories follow in `texts`), how many pids, which.
std::vector<TreePlace> read_places(const std::string& texts, Numbers numbers) {
  std::vector<TreePlace> places;
  size_t text = 0;
  while (numbers.left()) {
    TreePlace& place = places.emplace_back();
    place.group.directory = take_text(texts, text);
    for (auto left = numbers.take<size_t>(); left > 0 && numbers.left(); --left) {
      auto controller = numbers.take<size_t>();
      std::string directory = take_text(texts, text);
      if (controller < kControllers) place.group.controllers[controller] = std::move(directory);
    }
    for (auto left = numbers.take<size_t>(); left > 0 && numbers.left(); --left) place.pids.push_back(numbers.take<pid_t>());
  }
  return places;
}

Numbers::Numbers(const Napi::Value& value) {
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_float64_array)
    throw Napi::TypeError::New(value.Env(), "numbers must be a Float64Array");
  array_ = value.As<Napi::Float64Array>();
}

UsageDetail read_detail(const Napi::CallbackInfo& info, size_t first) {
  auto asks = [&](size_t at, const char* what) { return glue::boolean(info[first + at], what); };
  return {asks(0, "pss"), asks(1, "connections"), asks(2, "pressure"), asks(3, "descriptors"), asks(4, "peak")};
}

Napi::Value write_usages(Napi::Env env, const std::vector<TreeUsage>& trees) {
  size_t length = 0;
  for (const TreeUsage& tree : trees) {
    length += 2 + (tree.group ? kGroupWidth : 0) + tree.processes.size() * kProcessWidth;
  }
  auto numbers = Napi::Float64Array::New(env, length);
  double* at = numbers.Data();
  for (const TreeUsage& tree : trees) {
    *at++ = tree.group.has_value();
    if (tree.group) at = write_row(at, *tree.group);
    *at++ = static_cast<double>(tree.processes.size());
    for (const ProcessUsage& process : tree.processes) at = write_row(at, process);
  }
  return numbers;
}

Napi::Value sample_trees_flat(const Napi::CallbackInfo& info) {
  auto places = read_places(glue::text(info[0], "texts"), Numbers(info[1]));
  return write_usages(info.Env(), sample_trees(places, read_detail(info, 2)));
}

}  // namespace hsu
