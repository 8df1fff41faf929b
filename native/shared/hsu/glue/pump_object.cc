#include "pump_object.h"

#include "hsu/arguments.h"

namespace hsu {

using glue::integer;
using glue::text;

Napi::Function PumpObject::define(Napi::Env env) {
  return DefineClass(env, "Pump",
                     {
                         InstanceMethod<&PumpObject::open>("open"),
                         InstanceMethod<&PumpObject::discard>("discard"),
                         InstanceMethod<&PumpObject::let_go>("letGo"),
                         InstanceMethod<&PumpObject::forget>("forget"),
                         InstanceMethod<&PumpObject::counts>("counts"),
                         InstanceMethod<&PumpObject::tail>("tail"),
                         InstanceMethod<&PumpObject::tap>("tap"),
                         InstanceMethod<&PumpObject::acknowledge>("acknowledge"),
                         InstanceMethod<&PumpObject::replace_rotated>("replaceRotated"),
                         InstanceMethod<&PumpObject::carry_on>("carryOn"),
                         InstanceMethod<&PumpObject::stop>("stop"),
                         InstanceMethod<&PumpObject::close>("close"),
                     });
}

PumpObject::PumpObject(const Napi::CallbackInfo& info) : ObjectWrap(info), env_(info.Env()) {
  Napi::Env env = info.Env();
  if (!info[0].IsObject()) throw Napi::TypeError::New(env, "options must be an object");
  auto options = info[0].As<Napi::Object>();
  Napi::Value on_events = options.Get("onEvents");
  if (!on_events.IsFunction()) throw Napi::TypeError::New(env, "onEvents must be a function");
  auto limit = integer<size_t>(options.Get("maxTappedBytes"), "maxTappedBytes");

  delivery_ = std::make_unique<glue::Delivery>(env, on_events.As<Napi::Function>(), [this] { return pump_->take(); });
  auto opened = pump::Lanes::open({limit, [this] { delivery_->wake(); }, nullptr});
  if (!opened) {
    delivery_->close();
    throw glue::system_error(env, opened.error().call, opened.error().error);
  }
  pump_ = std::move(*opened);
  napi_add_env_cleanup_hook(env, &PumpObject::on_teardown, this);
  // What nobody refers to any more still carries bytes; it lives until close().
  Ref();
}

PumpObject::~PumpObject() {
  if (pump_) shut();
}

void PumpObject::on_teardown(void* self) {
  auto* object = static_cast<PumpObject*>(self);
  if (object->pump_) object->shut();
}

// Its thread ends when its disks let it; it has nobody to tell any more.
void PumpObject::shut() {
  pump_->abandon();
  pump_->stop();
  pump_.reset();
  delivery_->close();
}

pump::Lanes& PumpObject::living(Napi::Env env) {
  if (!pump_) throw Napi::Error::New(env, "the pump is closed");
  return *pump_;
}

// A channel, or the call that failed and its errno.
Napi::Value PumpObject::open(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  pump::Lanes& pump = living(env);
  if (!info[0].IsObject()) throw Napi::TypeError::New(env, "options must be an object");
  auto given = info[0].As<Napi::Object>();
  pump::ChannelOptions options;
  options.fifo = text(given.Get("fifo"), "fifo");
  options.file = text(given.Get("file"), "file");
  options.rotation.max_size = integer<uint64_t>(given.Get("maxSize"), "maxSize");
  options.rotation.max_files = integer<uint32_t>(given.Get("maxFiles"), "maxFiles");
  options.rotation.every = integer<uint32_t>(given.Get("rotateEvery"), "rotateEvery");
  options.format = static_cast<pump::Format>(integer<int>(given.Get("format"), "format"));
  options.labels = {text(given.Get("worker"), "worker"), text(given.Get("stream"), "stream"),
                    text(given.Get("prefix"), "prefix"), integer<uint64_t>(given.Get("run"), "run")};
  options.overflow = static_cast<pump::Overflow>(integer<int>(given.Get("overflow"), "overflow"));
  auto channel = pump.add(std::move(options));
  if (channel) return Napi::Number::New(env, static_cast<double>(*channel));
  return glue::tuple(env, {Napi::String::New(env, channel.error().call), Napi::Number::New(env, channel.error().error)});
}

void PumpObject::discard(const Napi::CallbackInfo& info) {
  living(info.Env()).discard(integer<pump::ChannelId>(info[0], "channel"));
}

void PumpObject::let_go(const Napi::CallbackInfo& info) {
  living(info.Env()).let_go(integer<pump::ChannelId>(info[0], "channel"));
}

void PumpObject::forget(const Napi::CallbackInfo& info) {
  living(info.Env()).forget(integer<pump::ChannelId>(info[0], "channel"));
}

Napi::Value PumpObject::counts(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  pump::Counts counts;
  if (!living(env).counts(integer<pump::ChannelId>(info[0], "channel"), counts)) return env.Null();
  auto numbers = Napi::Float64Array::New(env, 5);
  double* at = numbers.Data();
  for (uint64_t count : {counts.bytes, counts.lines, counts.dropped_bytes, counts.dropped_lines, counts.tap_lost}) {
    *at++ = static_cast<double>(count);
  }
  return numbers;
}

Napi::Value PumpObject::tail(const Napi::CallbackInfo& info) {
  std::string bytes = living(info.Env()).tail(integer<pump::ChannelId>(info[0], "channel"));
  return Napi::Buffer<char>::Copy(info.Env(), bytes.data(), bytes.size());
}

void PumpObject::tap(const Napi::CallbackInfo& info) {
  living(info.Env()).tap(integer<pump::ChannelId>(info[0], "channel"), static_cast<pump::Tap>(integer<int>(info[1], "how")));
}

void PumpObject::acknowledge(const Napi::CallbackInfo& info) {
  living(info.Env()).acknowledge(integer<size_t>(info[0], "bytes"));
}

void PumpObject::replace_rotated(const Napi::CallbackInfo& info) {
  living(info.Env())
      .replace_rotated(text(info[0], "path"), integer<uint64_t>(info[1], "device"), integer<uint64_t>(info[2], "inode"),
                       text(info[3], "made"), text(info[4], "suffix"));
}

void PumpObject::carry_on(const Napi::CallbackInfo& info) { living(info.Env()).carry_on(); }

void PumpObject::stop(const Napi::CallbackInfo& info) { living(info.Env()).stop(); }

void PumpObject::close(const Napi::CallbackInfo&) {
  if (!pump_) return;
  napi_remove_env_cleanup_hook(env_, &PumpObject::on_teardown, this);
  shut();
  Unref();
}

}  // namespace hsu
