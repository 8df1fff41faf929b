#include "access.h"

#include <sddl.h>

#include <vector>

#include "handle.h"

namespace hsu {

std::wstring user_of_process(HANDLE process) {
  HANDLE opened = nullptr;
  if (!::OpenProcessToken(process, TOKEN_QUERY, &opened)) return {};
  Handle token(opened);
  DWORD size = 0;
  ::GetTokenInformation(token.get(), TokenUser, nullptr, 0, &size);
  std::vector<char> bytes(size);
  if (size == 0 || !::GetTokenInformation(token.get(), TokenUser, bytes.data(), size, &size)) return {};
  LPWSTR text = nullptr;
  if (!::ConvertSidToStringSidW(reinterpret_cast<TOKEN_USER*>(bytes.data())->User.Sid, &text)) return {};
  std::wstring sid = text;
  ::LocalFree(text);
  return sid;
}

std::wstring own_user() { return user_of_process(::GetCurrentProcess()); }

std::wstring owners_only() {
  std::wstring user = own_user();
  return L"D:P(D;;GA;;;NU)(A;;GA;;;SY)(A;;GA;;;BA)" + (user.empty() ? L"" : L"(A;;GA;;;" + user + L")");
}

PSECURITY_DESCRIPTOR descriptor_of(const std::wstring& text) {
  PSECURITY_DESCRIPTOR descriptor = nullptr;
  ::ConvertStringSecurityDescriptorToSecurityDescriptorW(text.c_str(), SDDL_REVISION_1, &descriptor, nullptr);
  return descriptor;
}

}  // namespace hsu
