#pragma once

// What arrives at the engine’s completion port, told apart by the low bits of its key.

#include <cstdint>

#include "win.h"

namespace hsu {

enum class Arrival : ULONG_PTR { wake = 0, exit = 1, job = 2, pipe = 3 };

constexpr ULONG_PTR kArrivalBits = 2;

inline ULONG_PTR port_key(Arrival kind, uint64_t number) {
  return (static_cast<ULONG_PTR>(number) << kArrivalBits) | static_cast<ULONG_PTR>(kind);
}
inline Arrival arrival_of(ULONG_PTR key) { return static_cast<Arrival>(key & 3); }
inline uint64_t number_of(ULONG_PTR key) { return key >> kArrivalBits; }

}  // namespace hsu
