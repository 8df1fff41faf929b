#include "log_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "hsu/pump/format.h"
#include "hsu/pump/lines.h"
#include "rotation.h"

namespace hsu::pump {

namespace {

constexpr int kFlags = O_CLOEXEC | O_NOCTTY | O_NONBLOCK;

// Which stretch of `every` seconds of local time a moment is in.
int64_t period_of(time_t at, uint32_t every) {
  struct tm local;
  ::localtime_r(&at, &local);
  return (static_cast<int64_t>(at) + local.tm_gmtoff) / every;
}

LogFile::Outcome without_bytes(Scratch& scratch, int pipe) {
  switch (scratch.state(pipe)) {
    case Scratch::State::bytes:
      return LogFile::Outcome::moved;
    case Scratch::State::ended:
      return LogFile::Outcome::ended;
    default:
      return LogFile::Outcome::empty;
  }
}

}  // namespace

int LogFile::try_open() {
  struct stat facts;
  bool exists = disk_.facts(path_.c_str(), facts) == 0;
  regular_ = !exists || S_ISREG(facts.st_mode);
  // Read back for counting. What is no regular file is only written: a FIFO without a reader is an error then.
  int fd = disk_.open(path_.c_str(), regular_ ? kFlags | O_RDWR | O_CREAT : kFlags | O_WRONLY | O_APPEND, 0640);
  bool readable = fd != -EACCES;
  if (!readable) fd = disk_.open(path_.c_str(), kFlags | O_WRONLY, 0);
  if (fd < 0) return fd;
  file_.reset(fd);
  int error = disk_.facts(fd, facts);
  if (error) return error;
  device_ = static_cast<uint64_t>(facts.st_dev);
  inode_ = facts.st_ino;
  regular_ = S_ISREG(facts.st_mode);
  copies_ = Scratch::kPlain || !regular_ || !readable;
  length_ = regular_ ? static_cast<uint64_t>(facts.st_size) : 0;
  at_line_end_ = true;
  char last;
  if (length_ > 0 && disk_.read_at(fd, &last, 1, length_ - 1) == 1) at_line_end_ = last == '\n';
  changed_ = facts.st_mtime;
  cut_to_trusted();
  return 0;
}

int LogFile::reopen() {
  bool folder_made = false, relieved = false;
  opening_ = "open";
  for (;;) {
    int error = try_open();
    if (!error) return 0;
    file_.reset();
    if (error == -ENOENT && !folder_made) {
      folder_made = true;
      error = make_folder_of(path_.c_str());
      if (!error) continue;
      opening_ = "mkdir";
      return error;
    } else if ((error == -EMFILE || error == -ENFILE) && !relieved) {
      relieved = true;
      listener_.relieve();
    } else {
      return error;
    }
  }
}

// Whether the descriptor is still what the path names, and how long the file is now: others may write to it, too.
int LogFile::check(Milliseconds now) {
  struct stat facts;
  if (file_ && now - verified_ >= kVerify) {
    if (disk_.facts(path_.c_str(), facts) != 0 || static_cast<uint64_t>(facts.st_dev) != device_ || facts.st_ino != inode_) let_go();
    verified_ = now;
  }
  if (file_ && regular_) {
    if (disk_.facts(file_.get(), facts) != 0 || facts.st_nlink == 0) {
      let_go();
    } else if (static_cast<uint64_t>(facts.st_size) != length_) {
      length_ = static_cast<uint64_t>(facts.st_size);
      if (length_ == 0) at_line_end_ = true;
    }
  }
  if (file_) return 0;
  verified_ = now;
  return reopen();
}

bool LogFile::make_ready(Milliseconds now) {
  if (out_) return false;
  int error = check(now);
  if (error) refuse(opening_, -error, now);
  return !error;
}

LogFile::Pulled LogFile::refuse(const char* call, int error, Milliseconds now) {
  let_go();
  next_try_ = now + kRetry;
  out_error_ = error;
  if (!out_) {
    out_ = true;
    lost_bytes_ = lost_lines_ = 0;
    listener_.outage(path_, call, error);
  }
  return {Outcome::refused, 0};
}

void LogFile::lose(uint64_t bytes, uint64_t lines) {
  lost_bytes_ += bytes;
  lost_lines_ += lines;
}

int LogFile::write_gap() {
  if (lost_bytes_ == 0) return 0;
  std::string gap = gap_line(gap_format, lost_bytes_, lost_lines_, ::strerror(out_error_), wall());
  if (!at_line_end_) gap = "\n" + gap;
  ssize_t written = regular_ ? disk_.write_at(file_.get(), gap.data(), gap.size(), length_)
                             : disk_.write(file_.get(), gap.data(), gap.size());
  if (written < 0) return static_cast<int>(written);
  if (regular_ && static_cast<size_t>(written) < gap.size()) {
    cut(length_);
    return -ENOSPC;
  }
  length_ += static_cast<uint64_t>(written);
  at_line_end_ = true;
  return 0;
}

bool LogFile::resume(Milliseconds now) {
  if (!out_) return true;
  int error = check(now);
  if (!error) error = write_gap();
  if (error) {
    let_go();
    out_error_ = -error;
    next_try_ = now + kRetry;
    return false;
  }
  out_ = false;
  listener_.resumed(path_, std::exchange(lost_bytes_, 0), std::exchange(lost_lines_, 0));
  return true;
}

void LogFile::tell_gap() {
  if (out_ || lost_bytes_ == 0 || !file_) return;
  write_gap();
  listener_.resumed(path_, std::exchange(lost_bytes_, 0), std::exchange(lost_lines_, 0));
}

void LogFile::let_go() { file_.reset(); }

void LogFile::close() {
  let_go();
  if (!out_) return;
  out_ = false;
  listener_.resumed(path_, std::exchange(lost_bytes_, 0), std::exchange(lost_lines_, 0));
}

void LogFile::cut(uint64_t length) {
  if (!file_ || ::ftruncate(file_.get(), static_cast<off_t>(length)) != 0) return;
  length_ = length;
  at_line_end_ = true;
}

void LogFile::trust(uint64_t device, uint64_t inode, uint64_t length) { trusted_.push_back({device, inode, length}); }

void LogFile::cut_to_trusted() {
  uint64_t most = 0;
  bool known = false;
  for (const Trusted& one : trusted_) {
    if (one.device != device_ || one.inode != inode_) continue;
    known = true;
    most = std::max(most, one.length);
  }
  trusted_.clear();
  if (known && regular_ && length_ > most) cut(most);
}

// So that the file never grows past `bound` and, where a line end is within reach, ends with a whole line. A line is cut
// only where the file has no line end to offer: it is longer than what is left of an otherwise full file.
LogFile::Plan LogFile::plan(int pipe, size_t available, uint64_t bound) {
  size_t room = length_ >= bound ? 0 : static_cast<size_t>(std::min<uint64_t>(bound - length_, SIZE_MAX));
  if (available > room) {
    Scratch::Look seen = scratch_.look(pipe, room);
    size_t whole = room ? whole_lines(seen.bytes, seen.length) : 0;
    if (whole > 0) return {whole, true};
    return {length_ > 0 && at_line_end_ ? 0 : room, true};
  }
  // Close to the bound, a line that has only begun goes to the next file as a whole.
  size_t reach = static_cast<size_t>(std::min<uint64_t>(8192, bound / 16));
  if (room - available < reach) {
    Scratch::Look seen = scratch_.look(pipe, available);
    size_t whole = whole_lines(seen.bytes, seen.length);
    if (whole > 0 && whole < available) return {whole, true};
  }
  return {available, false};
}

// 0: none yet.
size_t LogFile::lines_in(int pipe, size_t available) {
  size_t reach = std::min(available, copies_ ? Scratch::kBuffer : kTurn);
  Scratch::Look seen = scratch_.look(pipe, reach);
  size_t whole = whole_lines(seen.bytes, seen.length);
  if (whole > 0) return whole;
  bool goes_on = scratch_.has_writers(pipe) && seen.length == available;
  return goes_on ? 0 : std::max<size_t>(seen.length, 1);
}

bool LogFile::due(const Rotation& rotation) {
  if (!regular_ || rotation.every == 0) return false;
  int64_t now = ::time(nullptr);
  int64_t before = std::exchange(changed_, now);
  if (length_ == 0 || period_of(before, rotation.every) >= period_of(now, rotation.every)) return false;
  changed_ = before;  // until it is done
  return true;
}

void LogFile::move_away(const Rotation& rotation, Milliseconds now) {
  int error = rotate(disk_, path_, rotation.max_files);
  if (error) {
    if (!unrotatable_) listener_.unrotatable(path_, "rename", -error, length_);
    unrotatable_ = true;
    unrotatable_until_ = now + kVerify;
    return;
  }
  unrotatable_ = false;
  let_go();
  listener_.rotated(path_);
}

LogFile::Pulled LogFile::pull(int pipe, const Rotation& rotation, Witness& witness, Milliseconds now, bool whole) {
  if (out_) return {Outcome::refused, 0};
  int error = check(now);
  if (error) return refuse(opening_, -error, now);
  bool bounded = regular_ && rotation.max_size > 0 && !(unrotatable_ && now < unrotatable_until_);
  Plan planned = {kTurn, false};
  bool by_time = due(rotation) && !(unrotatable_ && now < unrotatable_until_);
  bool is_near = bounded && length_ + 2 * kTurn >= rotation.max_size;
  if (by_time || is_near || whole) {
    size_t available = std::min(scratch_.held(pipe), kTurn);
    if (available == 0) {
      Outcome outcome = without_bytes(scratch_, pipe);
      return {outcome, 0};
    }
    if (by_time) {
      Scratch::Look seen = at_line_end_ ? Scratch::Look{nullptr, 0} : scratch_.look(pipe, available);
      size_t rest = at_line_end_ ? 0 : first_line(seen.bytes, seen.length);
      planned = at_line_end_ || rest > 0 ? Plan{rest, true} : Plan{available, false};
    } else if (is_near) {
      planned = plan(pipe, available, rotation.max_size);
    } else {
      planned.take = available;
    }
    if (whole && !planned.rotate) {
      planned = {lines_in(pipe, planned.take), false, true};
      if (planned.take == 0) return {Outcome::unfinished, 0};
    }
  }
  size_t moved = 0;
  while (planned.take > 0) {
    if (copies_) {
      Pulled copied = copy(pipe, planned.take, witness, now);
      if (copied.outcome != Outcome::moved) return copied;
      moved = copied.bytes;
      break;
    }
    ssize_t length = disk_.splice(pipe, file_.get(), length_, planned.take - moved);
    if (length == -EAGAIN || length == 0) {
      if (moved > 0) break;
      return {length == 0 ? Outcome::ended : Outcome::empty, 0};
    }
    if (length == -EINVAL || length == -ENOSYS || length == -EOPNOTSUPP) {
      copies_ = true;
      if (!told_copying_) listener_.copying(path_);
      told_copying_ = true;
      continue;
    }
    if (length < 0) {
      if (moved > 0) break;
      return refuse("splice", static_cast<int>(-length), now);
    }
    witness_moved(length_, static_cast<size_t>(length), witness);
    length_ += static_cast<uint64_t>(length);
    moved += static_cast<size_t>(length);
    if (!(planned.rotate || planned.exact) || moved == planned.take) break;
  }
  if (moved > 0) last_move_ = now;
  if (planned.rotate && moved == planned.take) move_away(rotation, now);
  return {Outcome::moved, moved};
}

void LogFile::witness_moved(uint64_t at, size_t length, Witness& witness) {
  char* buffer = scratch_.buffer();
  while (length > 0) {
    ssize_t got = disk_.read_at(file_.get(), buffer, std::min(length, Scratch::kBuffer), at);
    if (got <= 0) return witness.pass(length);
    witness.see(buffer, static_cast<size_t>(got));
    at += static_cast<uint64_t>(got);
    length -= static_cast<size_t>(got);
    at_line_end_ = buffer[got - 1] == '\n';
  }
}

// Where there is no splice.
LogFile::Pulled LogFile::copy(int pipe, size_t most, Witness& witness, Milliseconds now) {
  char* buffer = scratch_.buffer();
  ssize_t got = scratch_.read(pipe, buffer, std::min(most, Scratch::kBuffer));
  if (got < 0) return {Outcome::empty, 0};
  if (got == 0) return {Outcome::ended, 0};
  size_t length = static_cast<size_t>(got), done = 0;
  while (done < length) {
    ssize_t written = regular_ ? disk_.write_at(file_.get(), buffer + done, length - done, length_)
                               : disk_.write(file_.get(), buffer + done, length - done);
    if (written <= 0) {
      refuse("write", written ? static_cast<int>(-written) : EIO, now);
      break;
    }
    done += static_cast<size_t>(written);
    length_ += static_cast<uint64_t>(written);
  }
  if (done > 0) at_line_end_ = buffer[done - 1] == '\n';
  if (done == length || !scratch_.put_back(pipe, buffer + done, length - done)) {
    witness.see(buffer, length);
    if (done < length) lose(length - done, count_lines(buffer + done, length - done));
    return {Outcome::moved, length};
  }
  if (done == 0) return {Outcome::refused, 0};
  witness.see(buffer, done);
  return {Outcome::moved, done};
}

bool LogFile::prepare(size_t length, const Rotation& rotation, Milliseconds now) {
  if (!make_ready(now)) return false;
  bool may_rotate = regular_ && !(unrotatable_ && now < unrotatable_until_);
  bool full = rotation.max_size > 0 && length_ > 0 && length_ + length > rotation.max_size;
  if (!may_rotate || !(full || due(rotation))) return true;
  move_away(rotation, now);
  return make_ready(now);
}

bool LogFile::write_lines(const char* bytes, size_t length, Milliseconds now) {
  uint64_t before = length_;
  for (size_t done = 0; done < length;) {
    ssize_t written = regular_ ? disk_.write_at(file_.get(), bytes + done, length - done, length_)
                               : disk_.write(file_.get(), bytes + done, length - done);
    if (written <= 0) {
      if (regular_) cut(before);
      refuse("write", written ? static_cast<int>(-written) : EIO, now);
      return false;
    }
    done += static_cast<size_t>(written);
    length_ += static_cast<uint64_t>(written);
  }
  at_line_end_ = bytes[length - 1] == '\n';
  last_move_ = now;
  return true;
}

}  // namespace hsu::pump
