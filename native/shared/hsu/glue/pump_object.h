#pragma once

// The pump as a JavaScript object. Glue only: arguments arrive checked, results leave as plain numbers.

#include <napi.h>

#include <memory>

#include "hsu/delivery.h"
#include "pump/lanes.h"

namespace hsu {

class PumpObject : public Napi::ObjectWrap<PumpObject> {
 public:
  static Napi::Function define(Napi::Env env);
  explicit PumpObject(const Napi::CallbackInfo& info);
  ~PumpObject() override;

 private:
  Napi::Value open(const Napi::CallbackInfo& info);
  void discard(const Napi::CallbackInfo& info);
  void let_go(const Napi::CallbackInfo& info);
  void forget(const Napi::CallbackInfo& info);
  Napi::Value counts(const Napi::CallbackInfo& info);
  Napi::Value tail(const Napi::CallbackInfo& info);
  void tap(const Napi::CallbackInfo& info);
  void acknowledge(const Napi::CallbackInfo& info);
  void replace_rotated(const Napi::CallbackInfo& info);
  void carry_on(const Napi::CallbackInfo& info);
  void stop(const Napi::CallbackInfo& info);
  void close(const Napi::CallbackInfo& info);

  static void on_teardown(void* self);
  void shut();
  pump::Lanes& living(Napi::Env env);

  napi_env env_;
  std::unique_ptr<glue::Delivery> delivery_;
  std::shared_ptr<pump::Lanes> pump_;
};

}  // namespace hsu
