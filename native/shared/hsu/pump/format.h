#pragma once

// Lines as log files have them when they are not carried byte for byte.
//   plain            as they are
//   prefixed         PREFIX text
//   enhanced_plain   PREFIX[2026-01-31T17:38:32.123+03:00][worker][stdout] text
//   json             {"time":"2026-01-31T17:38:32.123+03:00","worker":"api","stream":"stdout","message":"text"}
//   structured_json  the same with "run" and "seq", the number of the line in this process's life, and, where the line is
//                    a JSON object itself, "data" in place of "message"
// The time is that of reading. A line of more than kMostLine bytes comes in pieces: all but the last end with "…", in JSON
// they have "cut":true. Bytes that are no UTF-8 are replaced in JSON, and left alone otherwise.

#include <cstdint>
#include <string>

namespace hsu::pump {

// The numbers are the contract with packages/native/src/pump.ts.
enum class Format : int { plain = 0, prefixed = 1, enhanced_plain = 2, json = 3, structured_json = 4 };

struct Labels {
  std::string worker, stream, prefix;
  uint64_t run = 0;
};

// RFC 3339 with milliseconds and the local offset. Formats each second once.
class Stamp {
 public:
  const std::string& at(int64_t milliseconds);

 private:
  int64_t second_ = -1;
  std::string text_, offset_;
};

class Formatter {
 public:
  static constexpr size_t kMostLine = 64 * 1024;

  Formatter(Format format, Labels labels);

  // Appends what the bytes amount to, which begin where the last call stopped. Answers how many were used: up to the
  // last line end, or all where a piece is cut off or nothing will follow (`last`).
  size_t format(const char* bytes, size_t length, bool last, int64_t milliseconds, std::string& out);

  uint64_t numbered() const { return seq_; }
  void number_from(uint64_t seq) { seq_ = seq; }  // what was made since then is thrown away

 private:
  void line(const char* bytes, size_t length, bool cut, const std::string& time, std::string& out);

  const Format format_;
  std::string before_, between_;  // of the time; of the text
  const std::string prefix_;
  Stamp stamp_;
  uint64_t seq_ = 0;
};

// A line about what is missing, in that format.
std::string gap_line(Format format, uint64_t bytes, uint64_t lines, const char* reason, int64_t milliseconds);


}  // namespace hsu::pump
