#pragma once

// Reading arguments that TypeScript has checked already. A mistake here is ours, and becomes a TypeError
// instead of a crash.

#include <napi.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

namespace hsu::glue {

inline double number(const Napi::Value& value, const char* what) {
  if (!value.IsNumber()) throw Napi::TypeError::New(value.Env(), std::string(what) + " must be a number");
  double result = value.As<Napi::Number>().DoubleValue();
  if (!std::isfinite(result)) throw Napi::TypeError::New(value.Env(), std::string(what) + " must be finite");
  return result;
}

// What is beyond the type has no value in it. The end of 64 bits itself is what the largest number becomes in JavaScript.
template <class Integer>
Integer whole(Napi::Env env, double given, const char* what) {
  using Limits = std::numeric_limits<Integer>;
  constexpr double end = 2.0 * static_cast<double>(Integer{1} << (Limits::digits - 1));
  if constexpr (Limits::digits > std::numeric_limits<double>::digits) {
    if (given == end) return Limits::max();
  }
  if (!(given >= static_cast<double>(Limits::min()) && given < end))
    throw Napi::RangeError::New(env, std::string(what) + " is out of range");
  return static_cast<Integer>(given);
}

template <class Integer>
Integer integer(const Napi::Value& value, const char* what) {
  return whole<Integer>(value.Env(), number(value, what), what);
}

inline Napi::Object object(const Napi::Value& value, const char* what) {
  if (!value.IsObject()) throw Napi::TypeError::New(value.Env(), std::string(what) + " must be an object");
  return value.As<Napi::Object>();
}

inline std::string text(const Napi::Value& value, const char* what) {
  if (!value.IsString()) throw Napi::TypeError::New(value.Env(), std::string(what) + " must be a string");
  return value.As<Napi::String>().Utf8Value();
}

inline bool boolean(const Napi::Value& value, const char* what) {
  if (!value.IsBoolean()) throw Napi::TypeError::New(value.Env(), std::string(what) + " must be a boolean");
  return value.As<Napi::Boolean>().Value();
}

template <class Integer>
std::vector<Integer> integers(const Napi::Value& value, const char* what) {
  if (!value.IsArray()) throw Napi::TypeError::New(value.Env(), std::string(what) + " must be an array");
  auto array = value.As<Napi::Array>();
  std::vector<Integer> result;
  for (uint32_t at = 0; at < array.Length(); ++at) {
    result.push_back(integer<Integer>(array.Get(at), what));
  }
  return result;
}

// `code` as Node's own errors have it: the name, added by TypeScript from `errno`.
inline Napi::Error system_error(Napi::Env env, const char* call, int error) {
  auto result = Napi::Error::New(env, call);
  result.Set("errno", Napi::Number::New(env, error));
  result.Set("syscall", Napi::String::New(env, call));
  return result;
}

inline Napi::Array tuple(Napi::Env env, std::initializer_list<Napi::Value> values) {
  auto result = Napi::Array::New(env, values.size());
  uint32_t at = 0;
  for (const Napi::Value& value : values) result.Set(at++, value);
  return result;
}

}  // namespace hsu::glue
