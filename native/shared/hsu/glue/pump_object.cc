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

PumpObject::PumpObject(const Napi::CallbackInfo& info) : LivingObject(info) {
  begin(info[0], [](const Napi::Object& options, std::function<void()> wake) {
    return pump::Lanes::open({integer<size_t>(options.Get("maxTappedBytes"), "maxTappedBytes"), std::move(wake)});
  });
}

// A channel, or the call that failed and its errno.
Napi::Value PumpObject::open(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  auto given = glue::object(info[0], "options");
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
  auto channel = living().add(std::move(options));
  if (channel) return Napi::Number::New(env, static_cast<double>(*channel));
  return glue::tuple(env, {Napi::String::New(env, channel.error().call), Napi::Number::New(env, channel.error().error)});
}

void PumpObject::discard(const Napi::CallbackInfo& info) {
  living().discard(integer<pump::ChannelId>(info[0], "channel"));
}

void PumpObject::let_go(const Napi::CallbackInfo& info) {
  living().let_go(integer<pump::ChannelId>(info[0], "channel"));
}

void PumpObject::forget(const Napi::CallbackInfo& info) {
  living().forget(integer<pump::ChannelId>(info[0], "channel"));
}

Napi::Value PumpObject::counts(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  pump::Counts counts;
  if (!living().counts(integer<pump::ChannelId>(info[0], "channel"), counts)) return env.Null();
  auto numbers = Napi::Float64Array::New(env, 5);
  double* at = numbers.Data();
  for (uint64_t count : {counts.bytes, counts.lines, counts.dropped_bytes, counts.dropped_lines, counts.tap_lost}) {
    *at++ = static_cast<double>(count);
  }
  return numbers;
}

Napi::Value PumpObject::tail(const Napi::CallbackInfo& info) {
  std::string bytes = living().tail(integer<pump::ChannelId>(info[0], "channel"));
  return Napi::Buffer<char>::Copy(info.Env(), bytes.data(), bytes.size());
}

void PumpObject::tap(const Napi::CallbackInfo& info) {
  living().tap(integer<pump::ChannelId>(info[0], "channel"), static_cast<pump::Tap>(integer<int>(info[1], "how")));
}

void PumpObject::acknowledge(const Napi::CallbackInfo& info) {
  living().acknowledge(integer<size_t>(info[0], "bytes"));
}

void PumpObject::replace_rotated(const Napi::CallbackInfo& info) {
  living()
      .replace_rotated(text(info[0], "path"), integer<uint64_t>(info[1], "device"), integer<uint64_t>(info[2], "inode"),
                       text(info[3], "made"), text(info[4], "suffix"));
}

void PumpObject::carry_on(const Napi::CallbackInfo&) { living().carry_on(); }

void PumpObject::stop(const Napi::CallbackInfo&) { living().stop(); }

}  // namespace hsu
