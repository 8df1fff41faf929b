// What of the macOS addon runs anywhere: the parser of KERN_PROCARGS2, and plans of launches. Built and run by
// packages/native/test/macos.test.ts. Prints "OK" or what is wrong.

#include <stdio.h>
#include <stdlib.h>

#include <string>

#include "launch/plan.h"
#include "launch/resources.h"
#include "process_args.h"

namespace {

using namespace std::string_literals;
using namespace hsu;

void expect(bool holds, const char* what) {
  if (holds) return;
  printf("%s\n", what);
  exit(1);
}

std::string blob(int32_t count, const std::string& rest) {
  return std::string(reinterpret_cast<const char*>(&count), sizeof count) + rest;
}

void parses() {
  // As the kernel lays it out: the path, NULs up to a word, arguments, environment, an empty text, its own strings.
  std::string whole = blob(3, "/usr/bin/env\0\0\0\0env\0-i\0two words\0" "A=1\0HSU_RUN=web#7\0B=\0\0executable_path=/usr/bin/env\0"s);
  auto args = parse_process_args(whole);
  expect(args.has_value(), "a whole table is parsed");
  expect(args->program == "/usr/bin/env", "its program");
  expect(args->arguments == "env\0-i\0two words\0"s, "its arguments");
  expect(args->environment == "A=1\0HSU_RUN=web#7\0B=\0"s, "its environment, without the kernel's own strings");
  expect(variable_of(args->environment, "HSU_RUN") == "web#7", "a variable");
  expect(variable_of(args->environment, "B") == "", "an empty variable");
  expect(!variable_of(args->environment, "HSU"), "no variable of which that is the beginning");
  // Of its own programs the system hides the environment.
  std::string shown = whole.substr(0, whole.find("A=1"));
  auto hidden = parse_process_args(shown);
  expect(hidden && hidden->environment.empty() && hidden->arguments == "env\0-i\0two words\0"s, "without an environment");
  std::string with_empty = blob(3, "/bin/x\0\0x\0\0z\0" "A=1\0"s);
  auto empty_word = parse_process_args(with_empty);
  expect(empty_word && empty_word->arguments == "x\0\0z\0"s, "an empty argument in the middle");
  // Whatever bytes come, nothing is read beyond them.
  for (size_t length = 0; length <= whole.size(); ++length) {
    auto cut = parse_process_args(std::string_view(whole).substr(0, length));
    if (cut) expect(cut->arguments.size() + cut->environment.size() <= length, "a part that is not there");
  }
  for (int32_t count : {-1, 0, 1000000}) {
    std::string other = blob(count, whole.substr(4));
    auto odd = parse_process_args(other);
    expect(count < 0 ? !odd : odd.has_value(), "an odd number of arguments");
  }
}

void plans() {
  Plan plan;
  plan.file = "/bin/true";
  plan.argv = {"true", "", "two\nlines"};
  plan.env = {"A=1", "B="};
  plan.cwd = "/tmp";
  plan.umask = 022;
  plan.uid = 4294967294;
  plan.nofile = 256;
  plan.set_groups = true;
  plan.groups = {0, 4294967294u};
  plan.limits = {{0, 10, -1}, {7, 0, 1ll << 53}};
  plan.nice = -20;
  plan.shell_fallback = true;
  std::string text = plan.written();
  auto read = Plan::read(text);
  expect(read.has_value() && read->written() == text, "a plan arrives as it was written");
  expect(read->argv == plan.argv && read->groups == plan.groups && read->limits[1].hard == 1ll << 53, "with all in it");
  for (size_t length = 0; length < text.size(); ++length) Plan::read(std::string_view(text).substr(0, length));
  expect(!Plan::read("Fx\0"s) && !Plan::read("?\0"s) && !Plan::read(""s), "what is no plan is refused");
}

// Bytes without any order, and much of each.
void odd_bytes() {
  uint32_t state = 1;
  for (int round = 0; round < 2000; ++round) {
    std::string bytes(static_cast<size_t>(round % 97), '\0');
    for (char& byte : bytes) {
      state = state * 1664525 + 1013904223;
      // Mostly those that mean something.
      byte = "\0FAEDMUGSgLN?=-\xff"[state >> 24 & 15];
    }
    if (auto args = parse_process_args(bytes)) variable_of(args->environment, "A");
    Plan::read(bytes);
  }
  std::string huge(1 << 20, 'x');
  std::string bytes = blob(1, huge + '\0' + huge + '\0' + huge + "=" + huge + '\0');
  auto args = parse_process_args(bytes);
  expect(args && args->program.size() == huge.size() && variable_of(args->environment, huge) == huge, "huge texts");
  expect(Plan::read("F" + huge + '\0' + "A" + huge + '\0')->argv[0] == huge, "a huge plan");
}

void resources() {
  expect(own_resource(7) == RLIMIT_NOFILE && own_resource(4) == RLIMIT_CORE, "limits by our numbers");
  expect(own_resource(13) == kNoResource && own_resource(-1) == kNoResource, "and no others");
}

}  // namespace

int main() {
  parses();
  plans();
  odd_bytes();
  resources();
  printf("OK\n");
}
