#include "session_object.h"

#include <vector>

#include "hsu/arguments.h"
#include "news.h"
#include "session.h"

namespace hsu {

namespace {

Napi::Value watch(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  if (!info[0].IsFunction()) throw Napi::TypeError::New(env, "hear must be a function");
  auto news = News::open(env, info[0].As<Napi::Function>(), "hsu session", &session_done);
  return Napi::Number::New(env, watch_session([news](SessionEnd end) { news->tell(static_cast<int>(end)); }));
}

void done(const Napi::CallbackInfo&) { session_done(); }

Napi::Value windows_of(const Napi::CallbackInfo& info) {
  auto pids = glue::integers<DWORD>(info[0], "pids");
  return Napi::Number::New(info.Env(), visible_windows(pids.data(), pids.size()));
}

}  // namespace

void define_session(Napi::Env env, Napi::Object exports) {
  exports.Set("watchSession", Napi::Function::New(env, watch));
  exports.Set("sessionDone", Napi::Function::New(env, done));
  exports.Set("visibleWindows", Napi::Function::New(env, windows_of));
}

}  // namespace hsu
