#include "service_object.h"

#include "hsu/arguments.h"
#include "news.h"
#include "service.h"
#include "text.h"

namespace hsu {

namespace {

using glue::integer;
using glue::text;

std::wstring wide_of(const Napi::Value& value, const char* what) { return wide(text(value, what)); }

Napi::Value answer(Napi::Env env, DWORD error) { return Napi::Number::New(env, error); }

Napi::Value install(const Napi::CallbackInfo& info) {
  auto given = glue::object(info[0], "settings");
  ServiceSettings settings;
  settings.name = wide_of(given.Get("name"), "name");
  settings.title = wide_of(given.Get("title"), "title");
  settings.description = wide_of(given.Get("description"), "description");
  settings.command_line = wide_of(given.Get("commandLine"), "commandLine");
  settings.stop_timeout = integer<DWORD>(given.Get("stopTimeout"), "stopTimeout");
  if (!given.Get("environment").IsArray()) throw Napi::TypeError::New(info.Env(), "environment must be an array");
  auto variables = given.Get("environment").As<Napi::Array>();
  for (uint32_t at = 0; at < variables.Length(); ++at) settings.environment.push_back(wide_of(variables.Get(at), "environment"));
  return answer(info.Env(), install_service(settings));
}

Napi::Value may_install(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), may_install_services());
}

Napi::Value uninstall(const Napi::CallbackInfo& info) {
  return answer(info.Env(), uninstall_service(wide_of(info[0], "name")));
}

Napi::Value start(const Napi::CallbackInfo& info) { return answer(info.Env(), start_service(wide_of(info[0], "name"))); }

Napi::Value stop(const Napi::CallbackInfo& info) { return answer(info.Env(), stop_service(wide_of(info[0], "name"))); }

// State, pid, exit code, how it starts, its command line; or an error.
Napi::Value query(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  ServiceState state;
  DWORD error = query_service(wide_of(info[0], "name"), state);
  if (error) return answer(env, error);
  return glue::tuple(env, {Napi::Number::New(env, state.state), Napi::Number::New(env, state.pid),
                           Napi::Number::New(env, state.exit_code), Napi::Number::New(env, state.start_type),
                           Napi::String::New(env, narrow(state.command_line))});
}

Napi::Value begin(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  if (!info[0].IsFunction()) throw Napi::TypeError::New(env, "asked must be a function");
  auto news = News::open(env, info[0].As<Napi::Function>(), "hsu service");
  return answer(env, ServiceProcess::begin([news](ServiceProcess::Asked asked) { news->tell(static_cast<int>(asked)); }));
}

void running(const Napi::CallbackInfo&) { ServiceProcess::running(); }

void stopping(const Napi::CallbackInfo& info) { ServiceProcess::stopping(integer<DWORD>(info[0], "patience")); }

void stopped(const Napi::CallbackInfo& info) { ServiceProcess::stopped(integer<DWORD>(info[0], "exitCode")); }

}  // namespace

void define_services(Napi::Env env, Napi::Object exports) {
  exports.Set("installService", Napi::Function::New(env, install));
  exports.Set("mayInstallServices", Napi::Function::New(env, may_install));
  exports.Set("uninstallService", Napi::Function::New(env, uninstall));
  exports.Set("startService", Napi::Function::New(env, start));
  exports.Set("stopService", Napi::Function::New(env, stop));
  exports.Set("queryService", Napi::Function::New(env, query));
  exports.Set("beginService", Napi::Function::New(env, begin));
  exports.Set("serviceRunning", Napi::Function::New(env, running));
  exports.Set("serviceStopping", Napi::Function::New(env, stopping));
  exports.Set("serviceStopped", Napi::Function::New(env, stopped));
}

}  // namespace hsu
