#include "service.h"

#include <condition_variable>

namespace hsu {

namespace {

class Service {
 public:
  Service(SC_HANDLE handle) : handle_(handle) {}
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;
  ~Service() {
    if (handle_) ::CloseServiceHandle(handle_);
  }
  SC_HANDLE get() const { return handle_; }
  explicit operator bool() const { return handle_ != nullptr; }

 private:
  SC_HANDLE handle_;
};

SC_HANDLE open_manager(DWORD access) { return ::OpenSCManagerW(nullptr, nullptr, access); }

DWORD write_environment(const ServiceSettings& settings) {
  std::wstring block;
  for (const std::wstring& variable : settings.environment) block += variable + L'\0';
  block += L'\0';
  std::wstring path = L"SYSTEM\\CurrentControlSet\\Services\\" + settings.name;
  HKEY key;
  LSTATUS error = ::RegOpenKeyExW(HKEY_LOCAL_MACHINE, path.c_str(), 0, KEY_SET_VALUE, &key);
  if (error != ERROR_SUCCESS) return static_cast<DWORD>(error);
  error = ::RegSetValueExW(key, L"Environment", 0, REG_MULTI_SZ, reinterpret_cast<const BYTE*>(block.data()),
                           static_cast<DWORD>(block.size() * sizeof(wchar_t)));
  ::RegCloseKey(key);
  return static_cast<DWORD>(error);
}

// What is refused here is not needed to run it.
void settle(SC_HANDLE service, const ServiceSettings& settings) {
  std::wstring text = settings.description;
  SERVICE_DESCRIPTIONW description = {text.data()};
  ::ChangeServiceConfig2W(service, SERVICE_CONFIG_DESCRIPTION, &description);
  SC_ACTION again[] = {{SC_ACTION_RESTART, 1000}, {SC_ACTION_RESTART, 1000}, {SC_ACTION_RESTART, 10'000}};
  SERVICE_FAILURE_ACTIONSW failures = {24 * 3600, nullptr, nullptr, 3, again};
  ::ChangeServiceConfig2W(service, SERVICE_CONFIG_FAILURE_ACTIONS, &failures);
  SERVICE_PRESHUTDOWN_INFO patience = {settings.stop_timeout};
  ::ChangeServiceConfig2W(service, SERVICE_CONFIG_PRESHUTDOWN_INFO, &patience);
}

}  // namespace

bool may_install_services() {
  Service manager(open_manager(SC_MANAGER_CREATE_SERVICE));
  return static_cast<bool>(manager);
}

DWORD install_service(const ServiceSettings& settings) {
  Service manager(open_manager(SC_MANAGER_CREATE_SERVICE));
  if (!manager) return ::GetLastError();
  Service service(::CreateServiceW(manager.get(), settings.name.c_str(), settings.title.c_str(), SERVICE_ALL_ACCESS,
                                   SERVICE_WIN32_OWN_PROCESS, SERVICE_AUTO_START, SERVICE_ERROR_NORMAL,
                                   settings.command_line.c_str(), nullptr, nullptr, nullptr, nullptr, nullptr));
  if (!service) return ::GetLastError();
  settle(service.get(), settings);
  DWORD error = write_environment(settings);
  if (error) ::DeleteService(service.get());
  return error;
}

DWORD uninstall_service(const std::wstring& name) {
  Service manager(open_manager(SC_MANAGER_CONNECT));
  if (!manager) return ::GetLastError();
  Service service(::OpenServiceW(manager.get(), name.c_str(), DELETE));
  if (!service) return ::GetLastError();
  return ::DeleteService(service.get()) ? 0 : ::GetLastError();
}

DWORD start_service(const std::wstring& name) {
  Service manager(open_manager(SC_MANAGER_CONNECT));
  if (!manager) return ::GetLastError();
  Service service(::OpenServiceW(manager.get(), name.c_str(), SERVICE_START));
  if (!service) return ::GetLastError();
  return ::StartServiceW(service.get(), 0, nullptr) ? 0 : ::GetLastError();
}

DWORD stop_service(const std::wstring& name) {
  Service manager(open_manager(SC_MANAGER_CONNECT));
  if (!manager) return ::GetLastError();
  Service service(::OpenServiceW(manager.get(), name.c_str(), SERVICE_STOP));
  if (!service) return ::GetLastError();
  SERVICE_STATUS status;
  return ::ControlService(service.get(), SERVICE_CONTROL_STOP, &status) ? 0 : ::GetLastError();
}

DWORD query_service(const std::wstring& name, ServiceState& state) {
  Service manager(open_manager(SC_MANAGER_CONNECT));
  if (!manager) return ::GetLastError();
  Service service(::OpenServiceW(manager.get(), name.c_str(), SERVICE_QUERY_STATUS | SERVICE_QUERY_CONFIG));
  if (!service) return ::GetLastError();
  SERVICE_STATUS_PROCESS status;
  DWORD size = 0;
  if (!::QueryServiceStatusEx(service.get(), SC_STATUS_PROCESS_INFO, reinterpret_cast<BYTE*>(&status), sizeof status, &size))
    return ::GetLastError();
  state.state = status.dwCurrentState;
  state.pid = status.dwProcessId;
  state.exit_code = status.dwWin32ExitCode;
  ::QueryServiceConfigW(service.get(), nullptr, 0, &size);
  std::vector<char> bytes(size);
  auto* config = reinterpret_cast<QUERY_SERVICE_CONFIGW*>(bytes.data());
  if (size == 0 || !::QueryServiceConfigW(service.get(), config, size, &size)) return ::GetLastError();
  state.start_type = config->dwStartType;
  state.command_line = config->lpBinaryPathName;
  return 0;
}

namespace {

// There is one service in a process, and the system calls it by functions without a subject.
struct Own {
  std::mutex mutex;
  std::condition_variable changed;
  std::function<void(ServiceProcess::Asked)> asked;
  SERVICE_STATUS_HANDLE handle = nullptr;
  SERVICE_STATUS status = {};
  bool begun = false, over = false;
  DWORD error = 0;
};

Own& own() {
  static auto* one = new Own;
  return *one;
}

void say(DWORD state, DWORD patience, DWORD exit_code) {
  Own& service = own();
  std::lock_guard lock(service.mutex);
  if (!service.handle) return;
  constexpr DWORD kAccepts = SERVICE_ACCEPT_STOP | SERVICE_ACCEPT_PRESHUTDOWN;
  bool steady = state == SERVICE_RUNNING || state == SERVICE_STOPPED;
  service.status.dwServiceType = SERVICE_WIN32_OWN_PROCESS;
  service.status.dwCurrentState = state;
  service.status.dwControlsAccepted = state == SERVICE_RUNNING ? kAccepts : 0;
  service.status.dwWin32ExitCode = exit_code == 0 ? NO_ERROR : ERROR_SERVICE_SPECIFIC_ERROR;
  service.status.dwServiceSpecificExitCode = exit_code;
  service.status.dwCheckPoint = steady ? 0 : service.status.dwCheckPoint + 1;
  service.status.dwWaitHint = steady ? 0 : patience;
  ::SetServiceStatus(service.handle, &service.status);
}

DWORD WINAPI on_control(DWORD control, DWORD, void*, void*) {
  Own& service = own();
  switch (control) {
    case SERVICE_CONTROL_STOP:
      service.asked(ServiceProcess::Asked::stop);
      return NO_ERROR;
    case SERVICE_CONTROL_PRESHUTDOWN:
    case SERVICE_CONTROL_SHUTDOWN:
      service.asked(ServiceProcess::Asked::shutdown);
      return NO_ERROR;
    case SERVICE_CONTROL_INTERROGATE:
      return NO_ERROR;
    default:
      return ERROR_CALL_NOT_IMPLEMENTED;
  }
}

void settle_begin(DWORD error) {
  Own& service = own();
  {
    std::lock_guard lock(service.mutex);
    service.begun = true;
    service.error = error;
  }
  service.changed.notify_all();
}

void WINAPI service_main(DWORD, LPWSTR*) {
  Own& service = own();
  static wchar_t none[] = L"";
  SERVICE_STATUS_HANDLE handle = ::RegisterServiceCtrlHandlerExW(none, on_control, nullptr);
  DWORD error = handle ? 0 : ::GetLastError();
  {
    std::lock_guard lock(service.mutex);
    service.handle = handle;
  }
  if (handle) say(SERVICE_START_PENDING, 30'000, 0);
  settle_begin(error);
  // The process is over for the manager when this returns in every service of it.
  std::unique_lock lock(service.mutex);
  service.changed.wait(lock, [&service] { return service.over; });
}

DWORD WINAPI dispatch(void*) {
  static wchar_t none[] = L"";
  SERVICE_TABLE_ENTRYW table[] = {{none, service_main}, {nullptr, nullptr}};
  if (!::StartServiceCtrlDispatcherW(table)) settle_begin(::GetLastError());
  return 0;
}

}  // namespace

DWORD ServiceProcess::begin(std::function<void(Asked)> asked) {
  Own& service = own();
  {
    std::lock_guard lock(service.mutex);
    if (service.asked) return ERROR_SERVICE_ALREADY_RUNNING;
    service.asked = std::move(asked);
  }
  Handle thread(::CreateThread(nullptr, 0, dispatch, nullptr, 0, nullptr));
  if (!thread) return ::GetLastError();
  std::unique_lock lock(service.mutex);
  service.changed.wait(lock, [&service] { return service.begun; });
  return service.error;
}

void ServiceProcess::running() { say(SERVICE_RUNNING, 0, 0); }

void ServiceProcess::stopping(DWORD patience) { say(SERVICE_STOP_PENDING, patience, 0); }

void ServiceProcess::stopped(DWORD exit_code) {
  say(SERVICE_STOPPED, 0, exit_code);
  Own& service = own();
  {
    std::lock_guard lock(service.mutex);
    service.handle = nullptr;
    service.over = true;
  }
  service.changed.notify_all();
}

}  // namespace hsu
