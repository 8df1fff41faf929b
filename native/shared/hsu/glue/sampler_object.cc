#include "sampler_object.h"

#include "hsu/arguments.h"
#include "process_rows.h"
#include "usage_object.h"

namespace hsu {

Napi::Function SamplerObject::define(Napi::Env env) {
  return DefineClass(env, "Sampler",
                     {
                         InstanceMethod<&SamplerObject::enter>("enter"),
                         InstanceMethod<&SamplerObject::leave>("leave"),
                         InstanceMethod<&SamplerObject::sample>("sample"),
                         InstanceMethod<&SamplerObject::newcomers>("newcomers"),
                         InstanceMethod<&SamplerObject::close>("close"),
                     });
}

SamplerObject::SamplerObject(const Napi::CallbackInfo& info)
    : ObjectWrap(info), sampler_(std::make_unique<Sampler>()) {}

Sampler& SamplerObject::open(Napi::Env env) {
  if (!sampler_) throw Napi::Error::New(env, "the sampler is closed");
  return *sampler_;
}

Napi::Value SamplerObject::enter(const Napi::CallbackInfo& info) {
  Sampler& sampler = open(info.Env());
  auto places = read_places(glue::text(info[0], "texts"), Numbers(info[1]));
  if (places.size() != 1) throw Napi::TypeError::New(info.Env(), "one tree at a time");
  return Napi::Number::New(info.Env(), sampler.enter(std::move(places[0].group)));
}

void SamplerObject::leave(const Napi::CallbackInfo& info) {
  open(info.Env()).leave(glue::integer<uint32_t>(info[0], "tree"));
}

// Of each tree its number, how many members are known otherwise, and which.
Napi::Value SamplerObject::sample(const Napi::CallbackInfo& info) {
  Sampler& sampler = open(info.Env());
  Numbers numbers(info[0]);
  std::vector<KnownTree> trees;
  while (numbers.left()) {
    KnownTree& one = trees.emplace_back();
    one.tree = numbers.take<uint32_t>();
    for (auto left = numbers.take<size_t>(); left > 0 && numbers.left(); --left) one.pids.push_back(numbers.take<pid_t>());
  }
  return write_usages(info.Env(), sampler.sample(trees, read_detail(info, 1)));
}

Napi::Value SamplerObject::newcomers(const Napi::CallbackInfo& info) {
  return write_rows(info.Env(), open(info.Env()).newcomers());
}

void SamplerObject::close(const Napi::CallbackInfo&) { sampler_.reset(); }

}  // namespace hsu
