#pragma once

// Services, by the service control manager. Each call answers 0 or an error of Windows.

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "handle.h"

namespace hsu {

struct ServiceSettings {
  std::wstring name, title, description, command_line;
  std::vector<std::wstring> environment;  // NAME=value, for it alone
  DWORD stop_timeout;                     // milliseconds that it may take when the machine goes down
};

struct ServiceState {
  DWORD state = 0, pid = 0, exit_code = 0, start_type = 0;
  std::wstring command_line;
};

// Whether this process may make services.
bool may_install_services();
// Starts with the machine, and again a second after it has crashed.
DWORD install_service(const ServiceSettings& settings);
DWORD uninstall_service(const std::wstring& name);
DWORD start_service(const std::wstring& name);
DWORD stop_service(const std::wstring& name);  // asks, and does not wait
DWORD query_service(const std::wstring& name, ServiceState& state);

// This process as the service that the manager has started it as.
class ServiceProcess {
 public:
  enum class Asked : int { stop = 0, shutdown = 1 };

  // Waits until the manager has taken it in. ERROR_FAILED_SERVICE_CONTROLLER_CONNECT: it is none.
  static DWORD begin(std::function<void(Asked)> asked);
  static void running();
  static void stopping(DWORD patience);  // milliseconds until the next word from us
  static void stopped(DWORD exit_code);
};

}  // namespace hsu
