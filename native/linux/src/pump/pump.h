#pragma once

// The one thread that carries what workers write from their channels, named pipes that they hold open themselves, to
// log files. Nobody waits for it but workers whose channel is full. Lanes makes one for each disk.

#include <pthread.h>

#include <deque>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <string>
#include <unordered_set>
#include <vector>

#include "channel.h"
#include "hsu/events.h"
#include "hsu/fd.h"
#include "hsu/poller.h"
#include "hsu/result.h"
#include "spool_writer.h"

namespace hsu::pump {

struct PumpOptions {
  size_t max_tapped;  // of `tapped`
  std::function<void()> wake;
  std::shared_ptr<Disk> disk;  // null: the real one
  ChannelId first;             // numbers of channels follow it
  std::shared_ptr<std::atomic<size_t>> tapped;  // bytes tapped and not acknowledged
};

class Pump {
 public:
  static Result<std::shared_ptr<Pump>> open(PumpOptions options);
  ~Pump();

  // Makes the FIFO, or takes the one that is there, before it returns: who then writes to it is heard.
  Result<ChannelId> add(ChannelOptions&& options);
  void discard(ChannelId id);                // nobody will write to it
  void let_go(ChannelId id);                 // tells its end once what is there now is taken; reads on till nobody holds it
  void forget(ChannelId id);                 // nobody asks for its counts any more
  bool counts(ChannelId id, Counts& counts);
  std::string tail(ChannelId id);
  void tap(ChannelId id, Tap how);
  void unpark();                             // `tapped` has become less
  void carry_on();                           // those whose FIFO was there, all at once
  void replace_rotated(std::string path, uint64_t device, uint64_t inode, std::string made, std::string suffix);
  void stop();                               // takes what is there, closes all, tells `pump_closed`
  void abandon();                            // tells nothing from now on
  void add_paths(std::unordered_set<std::string>& paths);  // of the files that channels write to
  std::vector<Event> take() { return queue_.take(); }

 private:
  enum class Order { discard, let_go, forget, stop, unpark, carry_on, emptied, eased };
  struct Command {
    Order order;
    ChannelId id;
  };
  struct Replacement {
    std::string path, made, suffix;
    uint64_t device, inode;
  };
  class Sight;

  explicit Pump(PumpOptions&& options);
  static void* run(void* self);
  void serve();
  void obey();
  void obey(const Command& command);
  void wake();
  int wait_time() const;
  void on_time();
  void turn(Channel& channel);
  void wait_for_rest(Channel& channel);
  void turn_without_file(Channel& channel);
  void turn_spooled(Channel& channel);
  bool open_spool(Channel& channel);
  bool make_room(Channel& channel);
  void end_spooled(Channel& channel);
  void order(Order order, ChannelId id);
  void attach(Channel& channel);
  void let_predecessors_go_first(Channel& channel);
  bool through_spool(Channel& channel);
  void adopt(const std::vector<Channel*>& found);
  void drop(Channel& channel, size_t most);
  void drop_line_rest(Channel& channel);
  void finish(Channel& channel);
  void tell_end(Channel& channel);
  void settle(Channel& channel);
  void grow(Channel& channel, size_t moved);
  void poll_again(Channel& channel, bool on);
  static uint64_t token_of(Channel& channel) { return reinterpret_cast<uint64_t>(&channel); }
  void close_fifo(Channel& channel);
  void turn_kept();
  void resume(LogFile& file);
  void pause_if_worthwhile();
  void drain_all();
  LogFile& file_of(const std::string& path);
  std::vector<Channel*> living();
  void witness(Channel& channel, const char* bytes, size_t length, bool dropped);

  void tell(EventType type, ChannelId subject, std::initializer_list<double> values, std::string bytes = {});

  const size_t max_tapped_;
  std::shared_ptr<Disk> disk_;
  std::mutex wake_mutex_;
  std::function<void()> wake_;
  EventQueue queue_;
  Poller poller_;
  std::mutex mutex_;  // channels_ (the thread alone erases), commands_, tails
  std::unordered_map<ChannelId, std::unique_ptr<Channel>> channels_;
  std::vector<Command> commands_;
  std::vector<Channel*> found_;  // opened, but not carried on
  std::vector<Replacement> replacements_;
  ChannelId last_id_;
  const std::shared_ptr<std::atomic<size_t>> tapped_;
  std::atomic<bool> closed_{false}, forgets_{false};

  // Of the thread alone.
  std::shared_ptr<Pump> self_;
  Scratch scratch_;
  std::unordered_map<std::string, std::unique_ptr<LogFile>> files_;
  std::unordered_set<std::string> spooled_files_;
  std::vector<Event> events_;
  std::vector<Channel*> unfinished_;  // have a part of a line, of which the rest may come
  std::vector<Channel*> parked_;   // their tap waits to be acknowledged
  FileNews news_;
  std::unique_ptr<SpoolWriter> writer_;  // once something is spooled
  std::vector<char> seen_;
  Milliseconds now_ = 0, swept_ = 0;
  bool stopping_ = false;
  bool busy_ = false;      // this round took much from a channel, or has to keep the order of two
  bool moved_ = false;
  bool told_small_ = false;
  size_t grown_ = 0;       // capacities of channels that are not small any more
};

}  // namespace hsu::pump
