#pragma once

// The thread that writes what spools hold, so that a disk that does not answer holds up neither the channels nor those
// whose policy is to drop.

#include <pthread.h>

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "channel.h"
#include "hsu/events.h"

namespace hsu::pump {

class SpoolWriter {
 public:
  struct Options {
    Disk& disk;
    std::function<void(Event&&)> tell;
    std::function<void(ChannelId)> emptied;  // it has ended, and its spool holds nothing any more
    std::function<void(ChannelId)> eased;    // its spool has room again, or its file an outage
  };
  explicit SpoolWriter(Options options);
  ~SpoolWriter();  // waits till all is written or given up

  int start();  // 0 or errno
  void trust(Channel& channel);     // what its spool knows of its file; before any `write` of the same file
  void write(Channel& channel);     // there is something in its spool, or its end

 private:
  static void* run(void* self);
  void serve();
  void carry(Channel& channel);
  enum class Step { on, done, held };
  Step write_some(Channel& channel, LogFile& file);
  bool write_batch(Channel& channel, LogFile& file, size_t length, bool whole);
  void write_gap(Channel& channel, LogFile& file);
  void end(Channel& channel, LogFile& file);
  Milliseconds next_try() const;
  void resume_files();
  LogFile& file_of(const Channel& channel);

  Options options_;
  FileNews news_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Channel*> work_;
  std::vector<Channel*> trusted_;
  bool stopping_ = false, running_ = false;
  pthread_t thread_{};

  // Of the thread alone.
  Scratch scratch_;
  std::vector<char> buffer_;
  std::string formatted_;
  std::unordered_map<std::string, std::unique_ptr<LogFile>> files_;
  std::vector<Channel*> held_;  // their files are out
  Milliseconds swept_ = 0;
};

}  // namespace hsu::pump
