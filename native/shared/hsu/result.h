#pragma once

// A value, or the system call that refused it.

#include <utility>
#include <variant>

namespace hsu {

struct SystemError {
  const char* call;
  int error;
};

template <class T, class E = SystemError>
class Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(E error) : state_(std::in_place_index<1>, std::move(error)) {}

  explicit operator bool() const { return state_.index() == 0; }
  T& operator*() { return std::get<0>(state_); }
  T* operator->() { return &std::get<0>(state_); }
  const E& error() const { return std::get<1>(state_); }

 private:
  std::variant<T, E> state_;
};

}  // namespace hsu
