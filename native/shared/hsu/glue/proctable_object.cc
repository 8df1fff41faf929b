#include "proctable_object.h"

#include <algorithm>

#include "hsu/arguments.h"
#include "proctable_look.h"
#include "usage_object.h"

namespace hsu {

namespace {

LookQuery read_query(const Napi::CallbackInfo& info) {
  LookQuery query;
  if (!info[0].IsNull()) {
    query.pids.emplace();
    for (Numbers pids(info[0]); pids.left();) query.pids->push_back(pids.take<pid_t>());
  }
  auto bits = glue::integer<unsigned>(info[1], "fields");
  query.argv = bits & 1;
  query.exe = bits & 2;
  query.cwd = bits & 4;
  query.user = bits & 8;
  query.environment = bits & 16;
  query.all_ports = bits & 32;
  for (Numbers ports(info[2]); ports.left();) {
    auto protocol = ports.take<int>();
    query.ports.emplace_back(protocol, ports.take<int>());
  }
  std::string files = glue::text(info[3], "files");
  for (size_t at = 0, end; (end = files.find('\0', at)) != std::string::npos; at = end + 1) {
    query.files.push_back(files.substr(at, end - at));
  }
  return query;
}

Napi::Float64Array write_pairs(Napi::Env env, const std::vector<std::pair<size_t, size_t>>& pairs) {
  auto numbers = Napi::Float64Array::New(env, 2 * pairs.size());
  double* at = numbers.Data();
  for (const auto& [first, second] : pairs) {
    *at++ = static_cast<double>(first);
    *at++ = static_cast<double>(second);
  }
  return numbers;
}

}  // namespace

Napi::Value look_flat(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  auto look = look_at_processes(read_query(info));
  if (!look) throw glue::system_error(env, look.error().call, look.error().error);
  constexpr size_t kWidth = sizeof(LookRow) / sizeof(double);
  auto rows = Napi::Float64Array::New(env, look->rows.size() * kWidth);
  std::copy_n(reinterpret_cast<const double*>(look->rows.data()), rows.ElementLength(), rows.Data());
  auto sockets = Napi::Float64Array::New(env, look->sockets.size() * 4);
  double* at = sockets.Data();
  std::string addresses;
  for (const ListeningSocket& socket : look->sockets) {
    *at++ = socket.protocol;
    *at++ = socket.family;
    *at++ = socket.port;
    *at++ = static_cast<double>(socket.inode);
    addresses += socket.address + ' ';
  }
  return glue::tuple(env, {rows, Napi::Buffer<char>::Copy(env, look->texts.data(), look->texts.size()), sockets,
                           Napi::String::New(env, addresses), write_pairs(env, look->listens),
                           write_pairs(env, look->holds), Napi::Boolean::New(env, look->hidden)});
}

}  // namespace hsu
