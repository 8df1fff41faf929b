#pragma once

// The sampler as a JavaScript object. Glue only: arguments arrive checked, results leave as plain numbers.

#include <napi.h>

#include <memory>

#include "sampler.h"

namespace hsu {

class SamplerObject : public Napi::ObjectWrap<SamplerObject> {
 public:
  static Napi::Function define(Napi::Env env);
  explicit SamplerObject(const Napi::CallbackInfo& info);

 private:
  Napi::Value enter(const Napi::CallbackInfo& info);
  void leave(const Napi::CallbackInfo& info);
  Napi::Value sample(const Napi::CallbackInfo& info);
  Napi::Value newcomers(const Napi::CallbackInfo& info);
  void close(const Napi::CallbackInfo& info);

  Sampler& open(Napi::Env env);

  std::unique_ptr<Sampler> sampler_;
};

}  // namespace hsu
