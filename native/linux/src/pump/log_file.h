#pragma once

// One log file: bytes are moved to its end by splice, so that whoever kills us between any two instructions finds each
// byte either in the pipe or in the file. Rotates before it would grow past its bound, at a line end where one is in
// reach. While the disk refuses it moves nothing, counts what its pipes lose, and says in the file how much that was.
// Used by the pump's thread alone.

#include <cstdint>
#include <string>
#include <vector>

#include "clock.h"
#include "disk.h"
#include "hsu/fd.h"
#include "hsu/pump/file_news.h"
#include "hsu/pump/format.h"
#include "scratch.h"

namespace hsu::pump {

// Sees the bytes that were moved, in order.
class Witness {
 public:
  virtual ~Witness() = default;
  virtual void see(const char* bytes, size_t length) = 0;
  virtual void pass(size_t length) = 0;  // moved, but could not be read back
};

class LogFile {
 public:
  static constexpr size_t kTurn = 256 * 1024;
  static constexpr Milliseconds kRetry = 500;
  static constexpr Milliseconds kVerify = 1000;

  enum class Outcome { moved, empty, ended, refused, unfinished };
  struct Pulled {
    Outcome outcome;
    size_t bytes;
  };

  LogFile(std::string path, Disk& disk, Scratch& scratch, FileListener& listener)
      : path_(std::move(path)), disk_(disk), scratch_(scratch), listener_(listener) {}

  // At most one turn's bytes. `refused`: an outage has begun or goes on, and the pipe still has its bytes. With `whole` lines it ends
  // with a line end where one is in reach; `unfinished`: there is a part of a line, which whoever holds the pipe may yet end.
  Pulled pull(int pipe, const Rotation& rotation, Witness& witness, Milliseconds now, bool whole);

  // Makes room for so many bytes that belong together; false in an outage. Then `write_lines` puts whole lines at the end,
  // all or, where an outage begins, nothing.
  bool prepare(size_t length, const Rotation& rotation, Milliseconds now);
  bool write_lines(const char* bytes, size_t length, Milliseconds now);

  // What of that file an earlier process is known to have finished: what is behind the largest such length was about to
  // be committed, and is written again.
  void trust(uint64_t device, uint64_t inode, uint64_t length);

  Format gap_format = Format::plain;

  bool is_out() const { return out_; }
  Milliseconds next_try() const { return next_try_; }
  void lose(uint64_t bytes, uint64_t lines);
  bool resume(Milliseconds now);  // tries to end the outage
  void tell_gap();                // of what was lost after the outage had ended, too
  void let_go();                  // of the descriptor
  void close();                   // and ends an outage by telling of it
  bool idle_since(Milliseconds before) const { return !file_ || last_move_ <= before; }
  bool holds_descriptor() const { return static_cast<bool>(file_); }
  const std::string& path() const { return path_; }
  uint64_t length() const { return length_; }
  uint64_t inode() const { return inode_; }
  uint64_t device() const { return device_; }
  bool make_ready(Milliseconds now);  // open, and still what the path names

  bool at_line_end() const { return at_line_end_; }

  int users = 0;
  uint64_t last = 0;      // who wrote to it last
  bool given_up = false;  // the rest of a line that was awaited from that one

 private:
  struct Plan {
    size_t take;
    bool rotate;
    bool exact = false;  // no less, as far as that can be
  };

  int write_gap();
  void cut(uint64_t length);
  void cut_to_trusted();
  int reopen();
  int try_open();
  int check(Milliseconds now);
  Plan plan(int pipe, size_t available, uint64_t bound);
  size_t lines_in(int pipe, size_t available);
  Pulled copy(int pipe, size_t most, Witness& witness, Milliseconds now);
  void witness_moved(uint64_t at, size_t length, Witness& witness);
  bool due(const Rotation& rotation);
  void move_away(const Rotation& rotation, Milliseconds now);
  Pulled refuse(const char* call, int error, Milliseconds now);

  const std::string path_;
  Disk& disk_;
  Scratch& scratch_;
  FileListener& listener_;
  Fd file_;
  uint64_t device_ = 0, inode_ = 0, length_ = 0;
  bool regular_ = true;
  bool copies_ = false;
  bool told_copying_ = false;
  bool at_line_end_ = true;
  int64_t changed_ = 0;  // seconds of wall time
  Milliseconds verified_ = 0, last_move_ = 0, unrotatable_until_ = 0;
  bool unrotatable_ = false;

  struct Trusted {
    uint64_t device, inode, length;
  };
  std::vector<Trusted> trusted_;

  bool out_ = false;
  const char* opening_ = "open";  // or mkdir, where that failed
  int out_error_ = 0;
  Milliseconds next_try_ = 0;
  uint64_t lost_bytes_ = 0, lost_lines_ = 0;
};

}  // namespace hsu::pump
