#pragma once

// Rows of the process table as packages/native reads them. Glue only.

#include <napi.h>

#include <vector>

#include "proctable.h"

namespace hsu {

inline Napi::Float64Array write_rows(Napi::Env env, const std::vector<ProcessRow>& rows) {
  constexpr size_t kRowWidth = 6;
  auto numbers = Napi::Float64Array::New(env, rows.size() * kRowWidth);
  double* at = numbers.Data();
  for (const ProcessRow& row : rows) {
    *at++ = row.pid;
    *at++ = row.ppid;
    *at++ = row.pgid;
    *at++ = row.sid;
    *at++ = static_cast<double>(row.start_time);
    *at++ = row.state;
  }
  return numbers;
}

}  // namespace hsu
