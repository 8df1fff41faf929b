{
  "targets": [
    {
      "target_name": "hsu_native",
      # All of them: who adds a file adds it here by that.
      "sources": ["<!@(node sources.mjs)"],
      "include_dirs": ["../shared", "src"],
      # A worker thread that is being terminated takes no exceptions: without the third the process would abort. With the fourth
      # what C++ itself throws, as where there is no memory, becomes an error of JavaScript.
      "defines": [
        "NAPI_VERSION=9",
        "NODE_ADDON_API_DISABLE_DEPRECATED",
        "NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS",
        "NODE_ADDON_API_CPP_EXCEPTIONS_ALL",
        "UNICODE",
        "_UNICODE",
        "WIN32_LEAN_AND_MEAN",
        "NOMINMAX",
        "_CRT_SECURE_NO_WARNINGS",
        "_WIN32_WINNT=0x0A00",
        "NTDDI_VERSION=0x0A000006"
      ],
      "dependencies": ["<!(node -p \"require('node-addon-api').targets\"):node_addon_api_except"],
      "libraries": ["psapi.lib", "iphlpapi.lib", "ws2_32.lib", "advapi32.lib", "user32.lib", "ntdll.lib"],
      "msvs_settings": {
        "VCCLCompilerTool": {
          "ExceptionHandling": 1,
          "WarningLevel": 4,
          "AdditionalOptions": ["/std:c++20", "/utf-8", "/permissive-", "/Zc:__cplusplus"]
        }
      }
    },
    {
      "target_name": "hsu_relay",
      "type": "executable",
      "sources": ["relay/relay.c"],
      "defines": ["UNICODE", "_UNICODE", "_WIN32_WINNT=0x0A00"],
      "msvs_settings": { "VCLinkerTool": { "SubSystem": 1 } }
    }
  ]
}
