#include "hsu/pump/json.h"

#include <stdio.h>
#include <string.h>

namespace hsu::pump {

namespace {

constexpr int kMostDepth = 64;

// The length of the UTF-8 character there, or 0: by the table of the Unicode Standard, 3-7.
size_t character(const unsigned char* at, size_t left) {
  unsigned char first = at[0];
  if (first < 0x80) return 1;
  size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || left < length) return 0;
  unsigned char low = 0x80, high = 0xbf;
  if (first == 0xe0) low = 0xa0;
  if (first == 0xed) high = 0x9f;
  if (first == 0xf0) low = 0x90;
  if (first == 0xf4) high = 0x8f;
  if (at[1] < low || at[1] > high) return 0;
  for (size_t next = 2; next < length; ++next) {
    if (at[next] < 0x80 || at[next] > 0xbf) return 0;
  }
  return length;
}

class Scan {
 public:
  Scan(const char* bytes, size_t length) : at_(bytes), end_(bytes + length) {}

  bool object_alone() {
    space();
    if (at_ == end_ || *at_ != '{' || !value(0)) return false;
    space();
    return at_ == end_;
  }

 private:
  void space() {
    while (at_ < end_ && (*at_ == ' ' || *at_ == '\t' || *at_ == '\r')) ++at_;
  }

  bool take(char expected) {
    if (at_ == end_ || *at_ != expected) return false;
    ++at_;
    return true;
  }

  bool word(const char* expected) {
    size_t length = ::strlen(expected);
    if (static_cast<size_t>(end_ - at_) < length || ::memcmp(at_, expected, length) != 0) return false;
    at_ += length;
    return true;
  }

  bool text() {
    if (!take('"')) return false;
    while (at_ < end_ && *at_ != '"') {
      auto byte = static_cast<unsigned char>(*at_);
      if (byte < 0x20) return false;
      if (byte == '\\') {
        if (!escape()) return false;
        continue;
      }
      size_t length = character(reinterpret_cast<const unsigned char*>(at_), static_cast<size_t>(end_ - at_));
      if (length == 0) return false;
      at_ += length;
    }
    return take('"');
  }

  bool escape() {
    ++at_;
    if (at_ == end_) return false;
    char kind = *at_++;
    if (kind != 'u') return kind != '\0' && ::strchr("\"\\/bfnrt", kind) != nullptr;
    for (int digit = 0; digit < 4; ++digit, ++at_) {
      if (at_ == end_ || *at_ == '\0' || !::strchr("0123456789abcdefABCDEF", *at_)) return false;
    }
    return true;
  }

  bool digits() {
    const char* begin = at_;
    while (at_ < end_ && *at_ >= '0' && *at_ <= '9') ++at_;
    return at_ > begin;
  }

  bool number() {
    if (at_ < end_ && *at_ == '-') ++at_;
    if (at_ < end_ && *at_ == '0') {
      ++at_;
    } else if (!digits()) {
      return false;
    }
    if (at_ < end_ && *at_ == '.') {
      ++at_;
      if (!digits()) return false;
    }
    if (at_ < end_ && (*at_ == 'e' || *at_ == 'E')) {
      ++at_;
      if (at_ < end_ && (*at_ == '+' || *at_ == '-')) ++at_;
      if (!digits()) return false;
    }
    return true;
  }

  bool value(int depth) {
    if (depth > kMostDepth || at_ == end_) return false;
    switch (*at_) {
      case '{':
        return members('}', depth, true);
      case '[':
        return members(']', depth, false);
      case '"':
        return text();
      case 't':
        return word("true");
      case 'f':
        return word("false");
      case 'n':
        return word("null");
      default:
        return number();
    }
  }

  bool members(char close, int depth, bool named) {
    ++at_;
    space();
    if (take(close)) return true;
    for (;;) {
      space();
      if (named) {
        if (!text()) return false;
        space();
        if (!take(':')) return false;
        space();
      }
      if (!value(depth + 1)) return false;
      space();
      if (take(close)) return true;
      if (!take(',')) return false;
    }
  }

  const char* at_;
  const char* const end_;
};

}  // namespace

void append_json_text(const char* bytes, size_t length, std::string& out) {
  auto* at = reinterpret_cast<const unsigned char*>(bytes);
  auto* end = at + length;
  auto* plain = at;  // not yet copied
  auto flush = [&] { out.append(reinterpret_cast<const char*>(plain), static_cast<size_t>(at - plain)); };
  while (at < end) {
    unsigned char byte = *at;
    if (byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\') {
      ++at;
      continue;
    }
    size_t size = character(at, static_cast<size_t>(end - at));
    if (size > 1) {
      at += size;
      continue;
    }
    flush();
    if (size == 0) {
      out += "\xef\xbf\xbd";
    } else if (byte == '"' || byte == '\\') {
      out += '\\';
      out += static_cast<char>(byte);
    } else if (byte == '\t') {
      out += "\\t";
    } else if (byte == '\r') {
      out += "\\r";
    } else {
      char code[8];
      ::snprintf(code, sizeof code, "\\u%04x", byte);
      out += code;
    }
    plain = ++at;
  }
  flush();
}

bool is_json_object(const char* bytes, size_t length) { return Scan(bytes, length).object_alone(); }

}  // namespace hsu::pump
