// Node-API glue: what the addon offers to packages/native.

#include <errno.h>
#include <napi.h>
#include <unistd.h>

#include "datagram.h"
#include "engine_object.h"
#include "exec.h"
#include "file.h"
#include "heap.h"
#include "held.h"
#include "hsu/arguments.h"
#include "identity.h"
#include "process_limits.h"
#include "limits_object.h"
#include "lock.h"
#include "orphans.h"
#include "peer.h"
#include "ports.h"
#include "probe.h"
#include "process_rows.h"
#include "proctable.h"
#include "proctable_object.h"
#include "pump_object.h"
#include "sampler_object.h"
#include "usage_object.h"
#include "users.h"

namespace hsu {

namespace {

using glue::integer;
using glue::text;

// Never destroyed: other threads may hold it when the process ends.
Held& held() {
  static auto* instance = new Held;
  return *instance;
}

Napi::Value identify(const Napi::CallbackInfo& info) {
  auto row = read_process(integer<pid_t>(info[0], "pid"));
  if (!row && is_shortage(errno)) throw glue::system_error(info.Env(), "open(/proc/<pid>/stat)", errno);
  if (!row) return info.Env().Null();
  return write_rows(info.Env(), {*row});
}

Napi::Value process_table(const Napi::CallbackInfo& info) {
  auto rows = read_process_table();
  if (!rows) throw glue::system_error(info.Env(), rows.error().call, rows.error().error);
  return write_rows(info.Env(), *rows);
}

Napi::Value boot_id(const Napi::CallbackInfo& info) {
  auto id = read_boot_id();
  if (!id) throw glue::system_error(info.Env(), id.error().call, id.error().error);
  return Napi::String::New(info.Env(), *id);
}

Napi::Value environ_of(const Napi::CallbackInfo& info) {
  auto variable = read_environment(integer<pid_t>(info[0], "pid"), text(info[1], "name"));
  if (variable.unknown) return info.Env().Undefined();
  if (!variable.value) return info.Env().Null();
  return Napi::String::New(info.Env(), *variable.value);
}

Napi::Value signal_by_identity(const Napi::CallbackInfo& info) {
  int error = signal_process(integer<pid_t>(info[0], "pid"), integer<uint64_t>(info[1], "startTime"),
                             integer<int>(info[2], "signal"));
  return Napi::Number::New(info.Env(), error);
}

// Steps and errnos of what failed.
Napi::Value limit_by_identity(const Napi::CallbackInfo& info) {
  auto failures = limit_process(integer<pid_t>(info[0], "pid"), integer<uint64_t>(info[1], "startTime"),
                                read_process_limits(glue::object(info[2], "limits")));
  auto result = Napi::Array::New(info.Env());
  uint32_t at = 0;
  for (const StepFailure& failure : failures) {
    result.Set(at++, Napi::Number::New(info.Env(), static_cast<int>(failure.step)));
    result.Set(at++, Napi::Number::New(info.Env(), failure.error));
  }
  return result;
}

Napi::Value orphans(const Napi::CallbackInfo& info) {
  auto result = Napi::Array::New(info.Env());
  uint32_t at = 0;
  for (pid_t pid : living_orphans()) result.Set(at++, Napi::Number::New(info.Env(), pid));
  return result;
}

Napi::Value lookup_user(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  auto user = find_user(text(info[0], "user"));
  if (!user) throw glue::system_error(env, user.error().call, user.error().error);
  if (!*user) return env.Null();
  auto groups = Napi::Array::New(env);
  uint32_t at = 0;
  for (gid_t group : (*user)->groups) groups.Set(at++, Napi::Number::New(env, group));
  auto result = Napi::Object::New(env);
  result.Set("uid", Napi::Number::New(env, (*user)->uid));
  result.Set("gid", Napi::Number::New(env, (*user)->gid));
  result.Set("groups", groups);
  result.Set("home", Napi::String::New(env, (*user)->home));
  result.Set("name", Napi::String::New(env, (*user)->name));
  return result;
}

Napi::Value lookup_group(const Napi::CallbackInfo& info) {
  auto group = find_group(text(info[0], "group"));
  if (!group) throw glue::system_error(info.Env(), group.error().call, group.error().error);
  if (!*group) return info.Env().Null();
  return Napi::Number::New(info.Env(), **group);
}

Napi::Value lock(const Napi::CallbackInfo& info) {
  int inherited = integer<int>(info[1], "inherited");
  std::string path = text(info[0], "path");
  auto fd = inherited < 0 ? lock_file(path) : keep_lock(path, inherited);
  if (!fd) throw glue::system_error(info.Env(), fd.error().call, fd.error().error);
  if (!*fd) return info.Env().Null();
  return Napi::Number::New(info.Env(), held().keep(std::move(**fd)));
}

void unlock(const Napi::CallbackInfo& info) { held().release(integer<int>(info[0], "lock")); }

std::vector<std::string> texts(const Napi::Value& value, const char* what) {
  if (!value.IsArray()) throw Napi::TypeError::New(value.Env(), std::string(what) + " must be an array");
  auto array = value.As<Napi::Array>();
  std::vector<std::string> result;
  for (uint32_t at = 0; at < array.Length(); ++at) result.push_back(text(array.Get(at), what));
  return result;
}

// The errno; there is nobody to return to where it succeeds.
Napi::Value exec_in_place(const Napi::CallbackInfo& info) {
  int error = replace_program(text(info[0], "file"), texts(info[1], "argv"), texts(info[2], "env"),
                              glue::integers<int>(info[3], "kept"));
  return Napi::Number::New(info.Env(), error);
}

// The reservation and its port, or the call that failed and its errno.
Napi::Value reserve(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  auto reserved = reserve_port(integer<uint16_t>(info[0], "port"));
  if (!reserved) {
    const auto& [call, error] = reserved.error();
    return glue::tuple(env, {Napi::String::New(env, call), Napi::Number::New(env, error)});
  }
  return glue::tuple(env, {Napi::Number::New(env, held().keep(std::move(reserved->fd))), Napi::Number::New(env, reserved->port)});
}

void release_port(const Napi::CallbackInfo& info) { held().release(integer<int>(info[0], "reservation")); }

Napi::Value send_datagram_to(const Napi::CallbackInfo& info) {
  if (!info[1].IsBuffer()) throw Napi::TypeError::New(info.Env(), "bytes must be a buffer");
  auto bytes = info[1].As<Napi::Buffer<uint8_t>>();
  return Napi::Number::New(info.Env(), send_datagram(text(info[0], "path"), bytes.Data(), bytes.Length(),
                                                     text(info[2], "file")));
}

Napi::Value peer_credentials(const Napi::CallbackInfo& info) {
  auto peer = peer_of(integer<int>(info[0], "fd"));
  if (!peer) throw glue::system_error(info.Env(), peer.error().call, peer.error().error);
  auto result = Napi::Object::New(info.Env());
  result.Set("pid", Napi::Number::New(info.Env(), peer->pid));
  result.Set("uid", Napi::Number::New(info.Env(), peer->uid));
  result.Set("gid", Napi::Number::New(info.Env(), peer->gid));
  return result;
}

void trim_memory(const Napi::CallbackInfo&) { trim_heap(); }

Napi::Value probe_all(const Napi::CallbackInfo& info) {
  Probe found = probe();
  auto result = Napi::Object::New(info.Env());
  auto set = [&](const char* name, int error) { result.Set(name, Napi::Number::New(info.Env(), error)); };
  set("pidfd", found.pidfd);
  set("clone3", found.clone3);
  set("cloneIntoCgroup", found.clone_into_cgroup);
  set("closeRange", found.close_range);
  set("subreaper", found.subreaper);
  set("childrenList", found.children_list);
  set("exitStatus", found.exit_status);
  return result;
}

Napi::Object init(Napi::Env env, Napi::Object exports) {
  exports.Set("Engine", EngineObject::define(env));
  exports.Set("Sampler", SamplerObject::define(env));
  exports.Set("Pump", PumpObject::define(env));
  exports.Set("identify", Napi::Function::New<identify>(env));
  exports.Set("processTable", Napi::Function::New<process_table>(env));
  exports.Set("lookAtProcesses", Napi::Function::New<look_flat>(env));
  exports.Set("bootId", Napi::Function::New<boot_id>(env));
  exports.Set("environOf", Napi::Function::New<environ_of>(env));
  exports.Set("signalProcess", Napi::Function::New<signal_by_identity>(env));
  exports.Set("limitProcess", Napi::Function::New<limit_by_identity>(env));
  exports.Set("orphans", Napi::Function::New<orphans>(env));
  exports.Set("lookupUser", Napi::Function::New<lookup_user>(env));
  exports.Set("lookupGroup", Napi::Function::New<lookup_group>(env));
  exports.Set("lockFile", Napi::Function::New<lock>(env));
  exports.Set("exec", Napi::Function::New<exec_in_place>(env));
  exports.Set("unlockFile", Napi::Function::New<unlock>(env));
  exports.Set("reservePort", Napi::Function::New<reserve>(env));
  exports.Set("releasePort", Napi::Function::New<release_port>(env));
  exports.Set("sampleTrees", Napi::Function::New<sample_trees_flat>(env));
  exports.Set("sendDatagram", Napi::Function::New<send_datagram_to>(env));
  exports.Set("peerCredentials", Napi::Function::New<peer_credentials>(env));
  exports.Set("trimMemory", Napi::Function::New<trim_memory>(env));
  exports.Set("probe", Napi::Function::New<probe_all>(env));
  return exports;
}

}  // namespace

}  // namespace hsu

Napi::Object InitializeAddon(Napi::Env env, Napi::Object exports) {
  hsu::keep_reserve();
  return hsu::init(env, exports);
}

NODE_API_MODULE(hsu_native, InitializeAddon)
