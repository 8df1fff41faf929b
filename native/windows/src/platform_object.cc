#include "platform_object.h"

#include <memory>
#include <mutex>
#include <unordered_map>

#include "control_pipe.h"
#include "errors.h"
#include "hsu/arguments.h"
#include "lock.h"
#include "service_object.h"
#include "session_object.h"

namespace hsu {

namespace {

using glue::integer;
using glue::text;

// What JavaScript holds by its number: one that is given back twice may be somebody else's by then, so only those that are held are
// closed. One for all threads of the process.
struct Held {
  std::mutex mutex;
  std::unordered_map<uintptr_t, Handle> handles;
};

Held& held() {
  static auto* one = new Held;
  return *one;
}

// A lock, or null: held by someone else.
Napi::Value lock(const Napi::CallbackInfo& info) {
  auto locked = lock_file(text(info[0], "path"));
  if (!locked) throw glue::system_error(info.Env(), locked.error().call, locked.error().error);
  if (!*locked) return info.Env().Null();
  auto number = reinterpret_cast<uintptr_t>(locked->get());
  std::lock_guard guard(held().mutex);
  held().handles[number] = std::move(*locked);
  return Napi::Number::New(info.Env(), static_cast<double>(number));
}

void unlock(const Napi::CallbackInfo& info) {
  auto number = integer<uintptr_t>(info[0], "lock");
  std::lock_guard guard(held().mutex);
  held().handles.erase(number);
}

// A handle as Node's own sockets take it: a descriptor of Node's C library, which is not ours. −1: this Node cannot.
int descriptor_of(HANDLE handle) {
  using Open = int (*)(HANDLE);
  static const auto open = reinterpret_cast<Open>(reinterpret_cast<void*>(::GetProcAddress(::GetModuleHandleW(nullptr), "uv_open_osfhandle")));
  return open ? open(handle) : -1;
}

class ControlPipeObject : public Napi::ObjectWrap<ControlPipeObject> {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "ControlPipe",
                       {InstanceMethod<&ControlPipeObject::security>("security"), InstanceMethod<&ControlPipeObject::close>("close")});
  }

  // The name, and what hears of each connection: its descriptor, the client's pid and user.
  explicit ControlPipeObject(const Napi::CallbackInfo& info) : ObjectWrap(info), env_(info.Env()) {
    std::string name = text(info[0], "name");
    if (!info[1].IsFunction()) throw Napi::TypeError::New(env_, "onConnection must be a function");
    call_ = Call::New(env_, info[1].As<Napi::Function>(), "hsu control pipe", 0, 1, this);
    auto opened = ControlPipe::open(name, [this] { call_.NonBlockingCall(); });
    if (!opened) {
      call_.Release();
      throw glue::system_error(env_, opened.error().call, opened.error().error);
    }
    pipe_ = std::move(*opened);
    napi_add_env_cleanup_hook(env_, &ControlPipeObject::on_teardown, this);
    Ref();
  }

  ~ControlPipeObject() override { shut(); }

 private:
  static void deliver(Napi::Env env, Napi::Function on_connection, ControlPipeObject* self, void*) {
    if (!env || !self->pipe_) return;
    for (ControlPipe::Connection& connection : self->pipe_->take()) {
      int descriptor = descriptor_of(connection.handle.get());
      if (descriptor < 0) continue;
      connection.handle.release();
      try {
        on_connection.Call({Napi::Number::New(env, descriptor), Napi::Number::New(env, connection.pid),
                            Napi::String::New(env, connection.user)});
      } catch (const Napi::Error& error) {
        napi_fatal_exception(env, error.Value());
      }
    }
  }

  static void on_teardown(void* self) { static_cast<ControlPipeObject*>(self)->shut(); }

  void shut() {
    if (!pipe_) return;
    pipe_->close();
    pipe_.reset();
    call_.Abort();
  }

  Napi::Value security(const Napi::CallbackInfo& info) {
    return Napi::String::New(info.Env(), pipe_ ? pipe_->security() : "");
  }

  void close(const Napi::CallbackInfo&) {
    if (!pipe_) return;
    napi_remove_env_cleanup_hook(env_, &ControlPipeObject::on_teardown, this);
    shut();
    Unref();
  }

  using Call = Napi::TypedThreadSafeFunction<ControlPipeObject, void, &ControlPipeObject::deliver>;
  napi_env env_;
  Call call_;
  std::shared_ptr<ControlPipe> pipe_;
};

}  // namespace

void define_platform(Napi::Env env, Napi::Object exports) {
  exports.Set("lockFile", Napi::Function::New(env, lock));
  exports.Set("unlockFile", Napi::Function::New(env, unlock));
  exports.Set("ControlPipe", ControlPipeObject::define(env));
  define_services(env, exports);
  define_session(env, exports);
}

}  // namespace hsu
