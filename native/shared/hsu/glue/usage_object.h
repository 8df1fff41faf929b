#pragma once

// Samples as packages/native asks for them and reads them. Glue only.

#include <napi.h>

#include <string>
#include <vector>

#include "hsu/arguments.h"
#include "usage.h"

namespace hsu {

// Numbers that are read one after the other; 0 where there are no more.
class Numbers {
 public:
  explicit Numbers(const Napi::Value& value);
  bool left() const { return at_ < array_.ElementLength(); }
  template <class Integer>
  Integer take() {
    return left() ? glue::whole<Integer>(array_.Env(), array_.Data()[at_++], "a number") : 0;
  }

 private:
  Napi::Float64Array array_;
  size_t at_ = 0;
};
std::vector<TreePlace> read_places(const std::string& texts, Numbers numbers);
// Five arguments from the `first` on.
UsageDetail read_detail(const Napi::CallbackInfo& info, size_t first);
// Of each tree: whether it has a group, the group's numbers if so, how many processes, the numbers of each.
Napi::Value write_usages(Napi::Env env, const std::vector<TreeUsage>& trees);

Napi::Value sample_trees_flat(const Napi::CallbackInfo& info);

}  // namespace hsu
