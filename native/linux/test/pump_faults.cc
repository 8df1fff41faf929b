// The pump on disks that fail as real ones cannot be made to. Built and run by packages/native/test/pump-faults.test.ts; by hand,
// with sanitizers, in native/linux:
//   g++ -std=c++20 -g -O1 -fsanitize=thread -I../shared -o faults test/pump_faults.cc src/pump/*.cc ../shared/hsu/pump/*.cc
//   setarch -R ./faults SCENARIO        and the same with -fsanitize=address,undefined
// Prints "OK" or what is wrong.

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <map>
#include <thread>

#include "../src/pump/lanes.h"

namespace {

using namespace hsu;
using namespace hsu::pump;

[[noreturn]] void fail(const std::string& what) {
  printf("%s\n", what.c_str());
  exit(1);
}

class FaultyDisk : public Disk {
 public:
  std::atomic<int> splice_error{0}, write_error{0}, open_error{0}, rename_error{0};
  std::atomic<bool> at_random{false}, stalls{false};
  std::atomic<unsigned> seed{1};
  std::atomic<dev_t> hung{0};  // answers nothing that is written to it

  ssize_t splice(int pipe, int file, uint64_t at, size_t most) override {
    wait_for(file);
    if (int error = spool(file) ? 0 : chosen(splice_error)) return -error;
    return Disk::splice(pipe, file, at, most);
  }
  ssize_t write_at(int file, const char* bytes, size_t length, uint64_t at) override {
    while (stalls && !spool(file)) usleep(1000);
    wait_for(file);
    int error = spool(file) ? 0 : chosen(write_error);
    // A disk that fills up takes a part of it.
    if (error == ENOSPC && length > 1 && at_random) return Disk::write_at(file, bytes, length / 2, at);
    return error ? -error : Disk::write_at(file, bytes, length, at);
  }
  int open(const char* path, int flags, mode_t mode) override {
    int error = strstr(path, ".spool") ? 0 : chosen(open_error);
    int fd = error ? -error : Disk::open(path, flags, mode);
    if (fd >= 0) spools_[fd % 1024] = strstr(path, ".spool") != nullptr;
    return fd;
  }
  int rename(const char* from, const char* to) override {
    int error = chosen(rename_error);
    return error ? -error : Disk::rename(from, to);
  }

 private:
  void wait_for(int file) {
    struct stat facts;
    while (hung && fstat(file, &facts) == 0 && facts.st_dev == hung) usleep(1000);
  }
  bool spool(int file) const { return spools_[file % 1024]; }
  int chosen(const std::atomic<int>& error) {
    if (!at_random) return error;
    unsigned next = seed.load() * 1103515245 + 12345;
    seed = next;
    return (next >> 16) % 8 == 0 ? error.load() : 0;
  }
  std::atomic<bool> spools_[1024] = {};
};

struct Scene {
  std::string folder;
  std::shared_ptr<FaultyDisk> disk = std::make_shared<FaultyDisk>();
  std::shared_ptr<Lanes> pump;
  int woken = eventfd(0, EFD_CLOEXEC);
  std::map<EventType, int> told;
  std::vector<Event> events;

  explicit Scene(const char* place = "/tmp") : folder(std::string(place) + "/hsu-faults-XXXXXX") {
    if (!mkdtemp(folder.data())) fail("mkdtemp");
    int to = woken;
    auto opened = Lanes::open({1 << 20, [to] { eventfd_write(to, 1); }, disk});
    if (!opened) fail("open");
    pump = *opened;
  }
  ~Scene() {
    pump->abandon();
    if (system(("rm -rf " + folder).c_str()) != 0) fail("rm");
  }

  ChannelId open(const char* fifo, Format format, Overflow overflow, uint64_t max_size = 0, std::string file = {}) {
    ChannelOptions options;
    options.fifo = folder + "/" + fifo;
    options.file = file.empty() ? folder + "/log" : file;
    options.rotation = {max_size, 1000, 0};
    options.overflow = overflow;
    options.format = format;
    options.labels = {"api", "stdout", "", 1};
    auto channel = pump->add(std::move(options));
    if (!channel) fail("add");
    return *channel;
  }

  void listen(int timeout) {
    pollfd wait = {woken, POLLIN, 0};
    if (poll(&wait, 1, timeout) != 1) return;
    eventfd_t count;
    eventfd_read(woken, &count);
    for (Event& event : pump->take()) {
      told[event.type] += 1;
      events.push_back(std::move(event));
    }
  }
  void until(EventType type, int times = 1) {
    for (int patience = 0; told[type] < times; ++patience) {
      if (patience > 600) fail("never told " + std::to_string(static_cast<int>(type)));
      listen(100);
    }
  }
  Counts counts(ChannelId id) {
    Counts counts = {};
    if (!pump->counts(id, counts)) fail("no counts");
    return counts;
  }
  // All files, oldest first.
  std::string text() {
    std::string found;
    for (int number = 1000; number >= 0; --number) {
      FILE* file = fopen((folder + (number ? "/log." + std::to_string(number) : "/log")).c_str(), "r");
      if (!file) continue;
      char buffer[65536];
      for (size_t length; (length = fread(buffer, 1, sizeof buffer, file)) > 0;) found.append(buffer, length);
      fclose(file);
    }
    return found;
  }
};

// Numbered lines, each by one write.
void write_lines(const std::string& fifo, int first, int count, int pause_us) {
  int fd = open(fifo.c_str(), O_RDWR);
  char line[101];
  memset(line, 'x', sizeof line);
  line[99] = '\n';
  for (int number = first; number < first + count; ++number) {
    snprintf(line, 11, "%010d", number);
    line[10] = ' ';
    if (write(fd, line, 100) != 100) fail("write");
    if (pause_us) usleep(static_cast<useconds_t>(pause_us));
  }
  close(fd);
}

// What is in the log: whole lines in order, torn ones only before a gap. Answers how many.
struct Found {
  int lines = 0, gaps = 0, torn = 0;
  unsigned long missing_bytes = 0, missing_lines = 0;
};

Found look(const std::string& text) {
  Found found;
  int last = -1;
  for (size_t at = 0; at < text.size();) {
    size_t end = text.find('\n', at);
    std::string line = text.substr(at, end == std::string::npos ? end : end - at);
    at = end == std::string::npos ? text.size() : end + 1;
    unsigned long bytes, lines;
    const char* gap = strstr(line.c_str(), "Z: ");
    (void)gap;
    if (line.rfind("--- hsu-master: ", 0) == 0) {
      const char* of = strstr(line.c_str(), " bytes with ");
      const char* begin = of;
      while (begin > line.c_str() && begin[-1] != ' ') --begin;
      if (!of || sscanf(begin, "%lu bytes with %lu", &bytes, &lines) != 2) fail("gap line: " + line);
      found.gaps += 1;
      found.missing_bytes += bytes;
      found.missing_lines += lines;
      continue;
    }
    if (line.empty()) continue;
    if (line.size() != 99) {
      found.torn += 1;
      continue;
    }
    int number = atoi(line.c_str());
    if (number <= last) fail("out of order: " + std::to_string(number) + " after " + std::to_string(last));
    last = number;
    found.lines += 1;
  }
  return found;
}

void expect(bool holds, const std::string& what) {
  if (!holds) fail(what);
}

// A disk that fails for a while: what is lost is counted, said in the file, and writing goes on by itself.
void outage(Format format, Overflow overflow, int error) {
  Scene scene;
  ChannelId channel = scene.open("fifo", format, overflow);
  constexpr int kLines = 3000;
  std::thread writer([&] { write_lines(scene.folder + "/fifo", 0, kLines, 500); });
  while (scene.counts(channel).lines < 100) usleep(1000);
  scene.disk->splice_error = scene.disk->write_error = error;
  scene.until(EventType::outage);
  usleep(700'000);
  scene.disk->splice_error = scene.disk->write_error = 0;
  scene.until(EventType::resumed);
  writer.join();
  scene.until(EventType::channel_end);
  Counts counts = scene.counts(channel);
  expect(counts.bytes + counts.dropped_bytes == kLines * 100, "bytes are neither kept nor dropped");
  expect(counts.lines + counts.dropped_lines == kLines, "lines are neither kept nor dropped");
  if (format != Format::plain) {
    expect(counts.dropped_bytes == 0, "what a spool holds is lost");
    return;
  }
  Found found = look(scene.text());
  expect(found.lines == static_cast<int>(counts.lines), "lines kept: " + std::to_string(found.lines));
  expect(found.missing_lines == counts.dropped_lines, "lines that the gap names: " + std::to_string(found.missing_lines));
  expect(found.missing_bytes == counts.dropped_bytes, "bytes that the gap names: " + std::to_string(found.missing_bytes));
  expect(found.torn == 0, "torn lines");
  expect((counts.dropped_lines > 0) == (found.gaps > 0), "gaps");
}

// A disk that does not answer for a while.
void stall(Format format, Overflow overflow) {
  Scene scene;
  ChannelId channel = scene.open("fifo", format, overflow);
  constexpr int kLines = 200'000;
  scene.disk->stalls = true;
  std::atomic<bool> written{false};
  std::thread writer([&] {
    write_lines(scene.folder + "/fifo", 0, kLines, 0);
    written = true;
  });
  if (overflow == Overflow::block) {
    usleep(500'000);
    expect(!written, "the worker does not wait");
  } else {
    for (int patience = 0; !written; ++patience) {
      expect(patience < 20'000, "the worker waits");
      usleep(1000);
    }
  }
  scene.disk->stalls = false;
  writer.join();
  scene.until(EventType::channel_end);
  Counts counts = scene.counts(channel);
  expect(counts.lines + counts.dropped_lines == kLines, "lines are neither kept nor dropped");
  expect(counts.bytes + counts.dropped_bytes == kLines * 100, "bytes are neither kept nor dropped");
  expect((counts.dropped_lines == 0) == (overflow == Overflow::block), "dropped: " + std::to_string(counts.dropped_lines));
  if (format != Format::plain) return;
  std::string text = scene.text();
  Found found = look(text);
  expect(found.lines == static_cast<int>(counts.lines), "lines kept: " + std::to_string(found.lines));
  expect(found.missing_lines == counts.dropped_lines, "lines that gaps name: " + std::to_string(found.missing_lines));
  expect(found.missing_bytes == counts.dropped_bytes, "bytes that gaps name: " + std::to_string(found.missing_bytes));
  expect(found.torn == 0, "torn lines");
  char last[16];
  snprintf(last, sizeof last, "%010d", kLines - 1);
  expect(text.find(overflow == Overflow::drop_newest ? "0000000000" : last) != std::string::npos, "which were dropped");
}

// One of two disks does not answer: whoever writes to the other, or must not wait, goes on.
void hang() {
  Scene scene, memory("/dev/shm");
  struct stat facts, other;
  if (stat(scene.folder.c_str(), &facts) != 0 || stat(memory.folder.c_str(), &other) != 0) fail("stat");
  if (facts.st_dev == other.st_dev) fail("/tmp and /dev/shm are one file system");
  constexpr int kLines = 100'000;
  struct Worker {
    const char* name;
    Format format;
    Overflow overflow;
    bool hangs, waits;
  };
  const Worker workers[] = {
      {"hung", Format::plain, Overflow::block, true, true},
      {"hung-json", Format::json, Overflow::block, true, true},
      {"dropping", Format::plain, Overflow::drop_oldest, true, false},
      {"well", Format::plain, Overflow::block, false, false},
      {"well-json", Format::json, Overflow::block, false, false},
      {"silent", Format::plain, Overflow::block, false, false},
  };
  constexpr size_t kWorkers = std::size(workers);
  scene.disk->hung = facts.st_dev;
  // FIFOs and spools are in memory.
  scene.folder.swap(memory.folder);
  std::vector<ChannelId> channels;
  std::vector<std::thread> writers;
  std::atomic<bool> written[kWorkers] = {};
  for (size_t at = 0; at < kWorkers; ++at) {
    const Worker& one = workers[at];
    std::string file = (one.hangs ? memory.folder : scene.folder) + "/" + one.name + ".log";
    channels.push_back(scene.open(one.name, one.format, one.overflow, 0, file));
  }
  for (size_t at = 0; at < kWorkers; ++at) {
    writers.emplace_back([&scene, &written, at, name = workers[at].name] {
      write_lines(scene.folder + "/" + name, 0, kLines, 0);
      written[at] = true;
    });
  }
  for (size_t at = 0; at < kWorkers; ++at) {
    for (int patience = 0; !workers[at].waits && !written[at]; ++patience) {
      expect(patience < 30'000, std::string(workers[at].name) + " waits for a disk that is not its own");
      usleep(1000);
    }
  }
  for (size_t at = 0; at < kWorkers; ++at) {
    if (workers[at].waits) expect(!written[at], std::string(workers[at].name) + " does not wait");
    if (!workers[at].hangs) continue;
    // The counts of a hung channel are told, too.
    scene.counts(channels[at]);
  }
  scene.disk->hung = 0;
  for (std::thread& writer : writers) writer.join();
  scene.until(EventType::channel_end, kWorkers);
  for (size_t at = 0; at < kWorkers; ++at) {
    Counts counts = scene.counts(channels[at]);
    expect(counts.lines + counts.dropped_lines == kLines, std::string(workers[at].name) + ": neither kept nor dropped");
    expect(workers[at].overflow != Overflow::block || counts.dropped_lines == 0, std::string(workers[at].name) + ": dropped");
  }
  scene.pump->stop();
  scene.until(EventType::pump_closed);
  expect(scene.told[EventType::pump_closed] == 1, "told once that it is closed");
}

void unopenable() {
  Scene scene;
  scene.disk->open_error = EIO;
  ChannelId channel = scene.open("fifo", Format::plain, Overflow::block);
  std::thread writer([&] { write_lines(scene.folder + "/fifo", 0, 1000, 1000); });
  scene.until(EventType::outage);
  scene.disk->open_error = 0;
  scene.until(EventType::resumed);
  writer.join();
  scene.until(EventType::channel_end);
  Counts counts = scene.counts(channel);
  expect(counts.lines + counts.dropped_lines == 1000 && counts.lines > 0, "lines");
  expect(look(scene.text()).lines == static_cast<int>(counts.lines), "lines kept");
}

void without_splice() {
  Scene scene;
  scene.disk->splice_error = EINVAL;
  ChannelId channel = scene.open("fifo", Format::plain, Overflow::block, 10'000);
  write_lines(scene.folder + "/fifo", 0, 5000, 0);
  scene.until(EventType::channel_end);
  expect(scene.told[EventType::copying] == 1, "told once that it copies");
  expect(scene.counts(channel).lines == 5000 && look(scene.text()).lines == 5000, "lines");
}

void unrotatable() {
  Scene scene;
  scene.disk->rename_error = EACCES;
  ChannelId channel = scene.open("fifo", Format::plain, Overflow::block, 10'000);
  write_lines(scene.folder + "/fifo", 0, 5000, 0);
  scene.until(EventType::channel_end);
  expect(scene.told[EventType::unrotatable] == 1, "told once");
  expect(scene.counts(channel).lines == 5000 && look(scene.text()).lines == 5000, "the file grows on");
}

// Anything at any time, several channels in one file.
void chaos(Format format) {
  Scene scene;
  scene.disk->at_random = true;
  scene.disk->splice_error = EIO;
  scene.disk->write_error = ENOSPC;
  scene.disk->open_error = EMFILE;
  scene.disk->rename_error = EIO;
  constexpr int kChannels = 4, kLines = 4000;
  std::vector<ChannelId> channels;
  std::vector<std::thread> writers;
  for (int at = 0; at < kChannels; ++at) {
    std::string name = "fifo" + std::to_string(at);
    channels.push_back(scene.open(name.c_str(), format, static_cast<Overflow>(at % 3), 100'000));
    writers.emplace_back([&scene, name, at] { write_lines(scene.folder + "/" + name, at * kLines, kLines, 700); });
  }
  for (std::thread& writer : writers) writer.join();
  scene.until(EventType::channel_end, kChannels);
  uint64_t kept = 0;
  for (ChannelId channel : channels) {
    Counts counts = scene.counts(channel);
    expect(counts.lines + counts.dropped_lines == kLines, "lines are neither kept nor dropped");
    kept += counts.lines;
  }
  scene.pump->stop();
  scene.until(EventType::pump_closed);
  if (format != Format::plain) return;
  std::string text = scene.text();
  uint64_t whole = 0;
  for (size_t at = 0; at < text.size();) {
    size_t end = text.find('\n', at);
    if (end == std::string::npos) break;
    if (end - at == 99 && text[at] == '0') ++whole;
    at = end + 1;
  }
  expect(whole == kept, "lines kept: " + std::to_string(whole) + " of " + std::to_string(kept));
}

}  // namespace

int main(int count, char** given) {
  std::string name = count > 1 ? given[1] : "";
  if (name == "plain") outage(Format::plain, Overflow::block, EIO);
  else if (name == "newest") outage(Format::plain, Overflow::drop_newest, ENOSPC);
  else if (name == "oldest") outage(Format::plain, Overflow::drop_oldest, EIO);
  else if (name == "json") outage(Format::json, Overflow::block, EIO);
  else if (name == "stall-block") stall(Format::json, Overflow::block);
  else if (name == "stall-newest") stall(Format::plain, Overflow::drop_newest);
  else if (name == "stall-oldest") stall(Format::plain, Overflow::drop_oldest);
  else if (name == "hang") hang();
  else if (name == "unopenable") unopenable();
  else if (name == "without-splice") without_splice();
  else if (name == "unrotatable") unrotatable();
  else if (name == "chaos") chaos(Format::plain);
  else if (name == "chaos-json") chaos(Format::json);
  else fail("no such scenario");
  printf("OK\n");
}
