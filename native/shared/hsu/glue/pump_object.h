#pragma once

// The pump as a JavaScript object. Glue only: arguments arrive checked, results leave as plain numbers.

#include <napi.h>

#include <memory>

#include "hsu/glue/living_object.h"
#include "pump/lanes.h"

namespace hsu {

class PumpObject : public glue::LivingObject<PumpObject, std::shared_ptr<pump::Lanes>> {
 public:
  static constexpr const char* kName = "pump";
  // Its threads end when their disks let them; they have nobody to tell any more.
  static void part(pump::Lanes& pump) {
    pump.abandon();
    pump.stop();
  }

  static Napi::Function define(Napi::Env env);
  explicit PumpObject(const Napi::CallbackInfo& info);

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
  void close(const Napi::CallbackInfo&) { end(); }
};

}  // namespace hsu
