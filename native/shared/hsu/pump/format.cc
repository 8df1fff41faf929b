#include "hsu/pump/format.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "hsu/pump/json.h"
#include "hsu/pump/lines.h"
#include "hsu/pump/local_time.h"

namespace hsu::pump {

namespace {

constexpr const char* kMark = "\xe2\x80\xa6";  // …

bool is_json(Format format) { return format == Format::json || format == Format::structured_json; }

// Not inside of a UTF-8 character.
size_t cut_at(const char* bytes, size_t most) {
  size_t at = most;
  while (at > most - 4 && (static_cast<unsigned char>(bytes[at]) & 0xc0) == 0x80) --at;
  return at;
}

}  // namespace

const std::string& Stamp::at(int64_t milliseconds) {
  int64_t second = milliseconds / 1000;
  if (second != second_) {
    second_ = second;
    time_t time = static_cast<time_t>(second);
    struct tm local;
    long minutes = to_local(time, local) / 60;
    char text[64];
    size_t length = ::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &local);
    char sign = minutes < 0 ? '-' : '+';
    if (minutes < 0) minutes = -minutes;
    char offset[32];
    ::snprintf(offset, sizeof offset, "%c%02ld:%02ld", sign, minutes / 60, minutes % 60);
    text_ = std::string(text, length) + ".000";
    offset_ = offset;
    text_ += offset_;
  }
  size_t at = text_.size() - offset_.size() - 3;
  int rest = static_cast<int>(milliseconds % 1000);
  text_[at] = static_cast<char>('0' + rest / 100);
  text_[at + 1] = static_cast<char>('0' + rest / 10 % 10);
  text_[at + 2] = static_cast<char>('0' + rest % 10);
  return text_;
}

Formatter::Formatter(Format format, Labels labels) : format_(format), prefix_(std::move(labels.prefix)) {
  if (is_json(format)) {
    before_ = "{\"time\":\"";
    between_ = "\",\"worker\":\"";
    append_json_text(labels.worker.data(), labels.worker.size(), between_);
    between_ += "\"";
    if (format == Format::structured_json) between_ += ",\"run\":" + std::to_string(labels.run);
    between_ += ",\"stream\":\"" + labels.stream + "\"";
    if (format == Format::structured_json) between_ += ",\"seq\":";
  } else if (format == Format::enhanced_plain) {
    before_ = prefix_ + "[";
    between_ = "][" + labels.worker + "][" + labels.stream + "] ";
  } else {
    before_ = prefix_;
  }
}

void Formatter::line(const char* bytes, size_t length, bool cut, const std::string& time, std::string& out) {
  ++seq_;
  out += before_;
  if (!is_json(format_)) {
    if (format_ == Format::enhanced_plain) out.append(time).append(between_);
    out.append(bytes, length);
    if (cut) out += kMark;
    out += '\n';
    return;
  }
  out.append(time).append(between_);
  bool structured = format_ == Format::structured_json;
  if (structured) out += std::to_string(seq_);
  if (cut) out += ",\"cut\":true";
  if (structured && !cut && is_json_object(bytes, length)) {
    out.append(",\"data\":").append(bytes, length).append("}\n");
    return;
  }
  out += ",\"message\":\"";
  append_json_text(bytes, length, out);
  out += "\"}\n";
}

size_t Formatter::format(const char* bytes, size_t length, bool last, int64_t milliseconds, std::string& out) {
  if (format_ == Format::plain) {
    size_t used = last || length > kMostLine ? length : whole_lines(bytes, length);
    out.append(bytes, used);
    return used;
  }
  const std::string& time = stamp_.at(milliseconds);
  size_t used = 0;
  while (used < length) {
    const char* begin = bytes + used;
    size_t left = length - used;
    const char* end = static_cast<const char*>(::memchr(begin, '\n', left));
    size_t size = end ? static_cast<size_t>(end - begin) : left;
    if (size > kMostLine) {
      size_t piece = cut_at(begin, kMostLine);
      line(begin, piece, true, time, out);
      used += piece;
    } else if (end) {
      line(begin, size, false, time, out);
      used += size + 1;
    } else {
      if (!last) break;
      line(begin, size, false, time, out);
      used = length;
    }
  }
  return used;
}

std::string gap_line(Format format, uint64_t bytes, uint64_t lines, const char* reason, int64_t milliseconds) {
  Stamp stamp;
  std::string time = stamp.at(milliseconds), of = std::to_string(bytes), with = std::to_string(lines);
  if (is_json(format)) {
    std::string why;
    append_json_text(reason, ::strlen(reason), why);
    return "{\"time\":\"" + time + "\",\"missing\":{\"bytes\":" + of + ",\"lines\":" + with + ",\"reason\":\"" + why + "\"}}\n";
  }
  return "--- hsu-master: " + time + ": " + of + " bytes with " + with + " line ends are missing here (" + reason + ") ---\n";
}

}  // namespace hsu::pump
