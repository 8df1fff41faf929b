#pragma once

// The one thread that carries what workers write from their channels to log files. It waits for all of them by reads of no bytes, whose
// completion comes to it as a call: never by a completion port, since a pipe that is adopted keeps its first port for ever. Nothing is
// taken out of a channel before it can be written at once; a kill in between loses that batch, of at most kBatch bytes.

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "../handle.h"
#include "hsu/events.h"
#include "hsu/pump/channel_options.h"
#include "hsu/pump/file_news.h"
#include "hsu/pump/format.h"
#include "hsu/pump/tail.h"
#include "hsu/result.h"
#include "log_file.h"

namespace hsu::pump {

class Pump;

struct Channel {
  Channel(ChannelId id, ChannelOptions&& given, Pump& pump)
      : id(id), options(std::move(given)), pump(pump), formatter(options.format, options.labels) {}

  const ChannelId id;
  const ChannelOptions options;
  Pump& pump;
  Handle reader;
  OVERLAPPED pending = {};  // of the read that waits

  // Of the pump's thread.
  LogFile* file = nullptr;
  Formatter formatter;
  std::string rest;         // taken and not written: a part of a line, or what an outage holds up
  Milliseconds unfinished = 0;  // since when it has only a part of a line
  std::vector<Channel*> predecessors;  // of the same worker, stream and file; what they hold comes first
  bool preceded = false;
  bool armed = false;     // a read waits
  bool ready = false;     // is to have its turn
  bool parked = false;    // its tap waits to be acknowledged
  bool skipping = false;  // the rest of a line whose beginning was lost
  bool forgotten = false, ended = false, told = false, letting_go = false;
  uint64_t until = 0;     // its end is told when so many bytes were taken
  bool in_line = false;

  uint64_t taken() const { return bytes + dropped_bytes; }

  // Written by that thread, read by any.
  std::atomic<uint64_t> bytes{0}, lines{0}, dropped_bytes{0}, dropped_lines{0}, tap_lost{0};
  std::atomic<Tap> tap{Tap::none};
  Tail tail;  // under the pump's mutex
};

struct PumpOptions {
  size_t max_tapped;  // bytes tapped and not acknowledged, all channels together
  std::function<void()> wake;
};

class Pump {
 public:
  static constexpr size_t kBatch = 64 * 1024;
  static constexpr size_t kHeldUp = 512 * 1024;  // of an outage, where not all is dropped

  static Result<std::shared_ptr<Pump>> open(PumpOptions options);
  ~Pump();

  // Makes the channel, or takes the one that is there, before it returns: who then writes to it is heard.
  Result<ChannelId> add(ChannelOptions&& options);
  void discard(ChannelId id) { order(Order::discard, id); }  // nobody will write to it
  void let_go(ChannelId id) { order(Order::let_go, id); }    // tells its end once what is there now is taken
  void forget(ChannelId id) { order(Order::forget, id); }
  void carry_on() { order(Order::carry_on, 0); }             // with those that were found
  bool counts(ChannelId id, Counts& counts);
  std::string tail(ChannelId id);
  void tap(ChannelId id, Tap how);
  void acknowledge(size_t bytes);
  void replace_rotated(std::string path, uint64_t volume, uint64_t index, std::string made, std::string suffix);
  void stop();     // takes what is there, then tells `pump_closed`
  void abandon();  // nobody is woken any more
  std::vector<Event> take() { return queue_.take(); }

 private:
  enum class Order { discard, let_go, forget, carry_on, unpark, stop };
  struct Command {
    Order order;
    ChannelId id;
  };
  struct Replacement {
    std::string path, made, suffix;
    uint64_t index;
  };

  explicit Pump(PumpOptions&& options);
  static DWORD WINAPI run(void* self);
  static void CALLBACK on_ready(DWORD error, DWORD length, OVERLAPPED* pending);

  void order(Order order, ChannelId id);
  void serve();
  DWORD wait_time() const;
  void on_time();
  void obey();
  void obey(const Command& command);
  void adopt();
  void arm(Channel& channel);
  void make_ready(Channel& channel);
  void turn(Channel& channel);
  size_t take_some(Channel& channel, size_t most);  // answers how many bytes
  void let_predecessors_go_first(Channel& channel);
  void write_rest(Channel& channel, bool last);
  void hold_up(Channel& channel);
  void drop(Channel& channel, size_t from, size_t length);
  void witness(Channel& channel, const char* bytes, size_t length);
  void settle(Channel& channel);
  void tell_end(Channel& channel);
  void finish(Channel& channel);
  void drain_all();
  LogFile& file_of(const Channel& channel);
  std::vector<Channel*> living();
  Channel* find(ChannelId id);
  void tell(EventType type, ChannelId subject, std::initializer_list<double> values, std::string bytes = {});

  const size_t max_tapped_;
  std::mutex wake_mutex_;
  std::function<void()> wake_;
  EventQueue queue_;
  Handle signal_, read_;  // events
  std::mutex mutex_;      // channels_ (the thread alone erases), commands_, tails
  std::unordered_map<ChannelId, std::unique_ptr<Channel>> channels_;
  std::vector<Command> commands_;
  std::vector<Channel*> fresh_, found_;  // not waited for yet; of an earlier process
  std::vector<Replacement> replacements_;
  ChannelId last_id_ = 0;
  std::atomic<size_t> tapped_{0};
  std::atomic<bool> closed_{false};

  // Of the thread alone.
  std::shared_ptr<Pump> self_;
  std::unordered_map<std::string, std::unique_ptr<LogFile>> files_;
  std::deque<Channel*> ready_;
  std::vector<Event> events_;
  std::string buffer_, formatted_;
  FileNews news_;
  Milliseconds now_ = 0, swept_ = 0;
  bool stopping_ = false;
};

}  // namespace hsu::pump
