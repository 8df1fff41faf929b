#pragma once

// Samples as packages/native asks for them and reads them. Glue only.

#include <napi.h>

#include <string>
#include <vector>

#include "usage.h"

namespace hsu {

Napi::Float64Array read_numbers(const Napi::Value& value);
std::vector<TreePlace> read_places(const std::string& texts, const Napi::Float64Array& numbers);
// Five arguments from the `first` on.
UsageDetail read_detail(const Napi::CallbackInfo& info, size_t first);
// Of each tree: whether it has a group, the group's numbers if so, how many processes, the numbers of each.
Napi::Value write_usages(Napi::Env env, const std::vector<TreeUsage>& trees);

Napi::Value sample_trees_flat(const Napi::CallbackInfo& info);

}  // namespace hsu
