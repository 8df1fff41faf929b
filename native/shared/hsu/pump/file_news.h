#pragma once

// What happens to log files beside being written, and how the pump tells it.

#include <functional>
#include <string>
#include <utility>

#include "hsu/events.h"
#include "hsu/pump/channel_options.h"

namespace hsu::pump {

// Errors are those of <errno.h>.
class FileListener {
 public:
  virtual ~FileListener() = default;
  virtual void rotated(const std::string& path) = 0;
  virtual void unrotatable(const std::string& path, const char* call, int error, uint64_t size) = 0;
  virtual void outage(const std::string& path, const char* call, int error) = 0;
  virtual void resumed(const std::string& path, uint64_t bytes, uint64_t lines) = 0;
  virtual void copying(const std::string& path) = 0;  // no splice here: a kill may lose or double a batch
  virtual void relieve() = 0;                         // no descriptor is free: close what can be closed
};

class FileNews : public FileListener {
 public:
  FileNews(std::function<void(Event&&)> tell, std::function<void()> relieve)
      : tell_(std::move(tell)), relieve_(std::move(relieve)) {}

  ChannelId current = 0;  // whose bytes are being written

  void rotated(const std::string& path) override { tell(EventType::rotated, {}, path); }
  void unrotatable(const std::string& path, const char* call, int error, uint64_t size) override {
    tell(EventType::unrotatable, {static_cast<double>(error), static_cast<double>(size)}, std::string(call) + '\0' + path);
  }
  void outage(const std::string& path, const char* call, int error) override {
    tell(EventType::outage, {static_cast<double>(error)}, std::string(call) + '\0' + path);
  }
  void resumed(const std::string& path, uint64_t bytes, uint64_t lines) override {
    tell(EventType::resumed, {static_cast<double>(bytes), static_cast<double>(lines)}, path);
  }
  void copying(const std::string& path) override { tell(EventType::copying, {}, path); }
  void relieve() override { relieve_(); }

 private:
  void tell(EventType type, std::initializer_list<double> values, std::string bytes) {
    Event event(type, static_cast<double>(current), values);
    event.bytes = std::move(bytes);
    tell_(std::move(event));
  }

  std::function<void(Event&&)> tell_;
  std::function<void()> relieve_;
};

}  // namespace hsu::pump
