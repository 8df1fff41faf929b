#include "engine_object.h"

#include "hsu/arguments.h"
#include "limits_object.h"

namespace hsu {

using glue::boolean;
using glue::integer;
using glue::text;

Napi::Function EngineObject::define(Napi::Env env) {
  return DefineClass(env, "Engine",
                     {
                         InstanceMethod<&EngineObject::submit>("submit"),
                         InstanceMethod<&EngineObject::collect>("collect"),
                         InstanceMethod<&EngineObject::release>("release"),
                         InstanceMethod<&EngineObject::signal>("signal"),
                         InstanceMethod<&EngineObject::signal_group>("signalGroup"),
                         InstanceMethod<&EngineObject::protect>("protect"),
                         InstanceMethod<&EngineObject::watch>("watch"),
                         InstanceMethod<&EngineObject::unwatch>("unwatch"),
                         InstanceMethod<&EngineObject::reap_inherited>("reapInherited"),
                         InstanceMethod<&EngineObject::rest>("rest"),
                         InstanceMethod<&EngineObject::detach_output>("detachOutput"),
                         InstanceMethod<&EngineObject::acknowledge>("acknowledge"),
                         InstanceMethod<&EngineObject::close>("close"),
                     });
}

EngineObject::EngineObject(const Napi::CallbackInfo& info) : LivingObject(info) {
  begin(info[0], [](const Napi::Object& options, std::function<void()> wake) {
    return Engine::open({boolean(options.Get("subreaper"), "subreaper"),
                         integer<size_t>(options.Get("maxUnacknowledgedBytes"), "maxUnacknowledgedBytes"), std::move(wake)});
  });
}

namespace {

// Address and port of each, one after the other.
std::vector<ListenAddress> read_listens(const Napi::Value& value) {
  if (!value.IsArray()) throw Napi::TypeError::New(value.Env(), "listens must be an array");
  auto array = value.As<Napi::Array>();
  std::vector<ListenAddress> listens;
  for (uint32_t at = 0; at + 1 < array.Length(); at += 2) {
    listens.push_back({text(array.Get(at), "address"), integer<uint16_t>(array.Get(at + 1), "port")});
  }
  return listens;
}

}  // namespace

Napi::Value EngineObject::submit(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  auto given = glue::object(info[0], "options");
  LaunchOptions options;
  options.file = text(given.Get("file"), "file");
  options.argv = text(given.Get("argv"), "argv");
  options.env = text(given.Get("env"), "env");
  options.cwd = text(given.Get("cwd"), "cwd");
  options.umask = integer<int>(given.Get("umask"), "umask");
  options.uid = integer<long long>(given.Get("uid"), "uid");
  options.gid = integer<long long>(given.Get("gid"), "gid");
  options.set_groups = boolean(given.Get("setGroups"), "setGroups");
  if (options.set_groups) options.groups = glue::integers<gid_t>(given.Get("groups"), "groups");
  options.out = static_cast<Output>(integer<int>(given.Get("stdout"), "stdout"));
  options.err = static_cast<Output>(integer<int>(given.Get("stderr"), "stderr"));
  options.out_channel = text(given.Get("stdoutChannel"), "stdoutChannel");
  options.err_channel = text(given.Get("stderrChannel"), "stderrChannel");
  options.listens = read_listens(given.Get("listens"));
  options.shell_fallback = boolean(given.Get("shellFallback"), "shellFallback");
  options.nofile = integer<long long>(given.Get("nofile"), "nofile");
  options.die_with_master = boolean(given.Get("dieWithMaster"), "dieWithMaster");
  read_spawn_limits(given.Get("limits"), options);

  return Napi::Number::New(env, static_cast<double>(living().submit(std::move(options))));
}

// Of each, one after the other: handle, step that failed or -1, errno, pid, start time.
Napi::Value EngineObject::collect(const Napi::CallbackInfo& info) {
  constexpr size_t kWidth = 5;
  auto collected = living().collect();
  auto numbers = Napi::Float64Array::New(info.Env(), collected.size() * kWidth);
  double* at = numbers.Data();
  for (const Engine::Collected& one : collected) {
    *at++ = static_cast<double>(one.handle);
    *at++ = static_cast<int>(one.failure.step);
    *at++ = one.failure.error;
    *at++ = one.pid;
    *at++ = static_cast<double>(one.start_time);
  }
  return numbers;
}

void EngineObject::release(const Napi::CallbackInfo& info) {
  living().waiter().release(integer<Handle>(info[0], "handle"), boolean(info[1], "go"));
}

Napi::Value EngineObject::signal(const Napi::CallbackInfo& info) {
  int error = living().waiter().signal(integer<Handle>(info[0], "handle"), integer<int>(info[1], "signal"));
  return Napi::Number::New(info.Env(), error);
}

Napi::Value EngineObject::protect(const Napi::CallbackInfo& info) {
  int error = living().protect(integer<int>(info[0], "score"));
  return Napi::Number::New(info.Env(), error);
}

Napi::Value EngineObject::signal_group(const Napi::CallbackInfo& info) {
  Waiter& waiter = living().waiter();
  int error = waiter.signal_group(integer<Handle>(info[0], "handle"), integer<int>(info[1], "signal"));
  return Napi::Number::New(info.Env(), error);
}

// The watch's number, or a negative errno.
Napi::Value EngineObject::watch(const Napi::CallbackInfo& info) {
  Engine& engine = living();
  uint64_t watch = 0;
  int error = engine.watch(integer<pid_t>(info[0], "pid"), integer<uint64_t>(info[1], "startTime"), watch);
  return Napi::Number::New(info.Env(), error ? -error : static_cast<double>(watch));
}

void EngineObject::unwatch(const Napi::CallbackInfo& info) {
  living().waiter().unwatch(integer<uint64_t>(info[0], "watch"));
}

void EngineObject::reap_inherited(const Napi::CallbackInfo&) { living().waiter().reap_inherited(); }

void EngineObject::rest(const Napi::CallbackInfo&) { living().waiter().rest(); }

void EngineObject::detach_output(const Napi::CallbackInfo& info) {
  living().detach_output(integer<Handle>(info[0], "handle"));
}

void EngineObject::acknowledge(const Napi::CallbackInfo& info) {
  living().acknowledge(integer<size_t>(info[0], "bytes"));
}

}  // namespace hsu
