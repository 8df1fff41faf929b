#pragma once

// UTF-16, which both JavaScript and Windows speak.

#include <napi.h>

#include <string>

namespace hsu::glue {

inline std::wstring wide_text(const Napi::Value& value, const char* what) {
  if (!value.IsString()) throw Napi::TypeError::New(value.Env(), std::string(what) + " must be a string");
  std::u16string text = value.As<Napi::String>().Utf16Value();
  return std::wstring(text.begin(), text.end());
}

inline Napi::String wide_value(Napi::Env env, const std::wstring& text) {
  std::u16string units(text.begin(), text.end());
  return Napi::String::New(env, units.data(), units.size());
}

}  // namespace hsu::glue
