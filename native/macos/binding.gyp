{
  "targets": [
    {
      "target_name": "hsu_native",
      "sources": [
        "../shared/hsu/glue/addon.cc",
        "../shared/hsu/glue/engine_object.cc",
        "../shared/hsu/glue/limits_object.cc",
        "../shared/hsu/glue/proctable_object.cc",
        "../shared/hsu/glue/pump_object.cc",
        "../shared/hsu/glue/sampler_object.cc",
        "../shared/hsu/glue/usage_object.cc",
        "../shared/hsu/pump/format.cc",
        "../shared/hsu/pump/json.cc",
        "../linux/src/capture.cc",
        "../linux/src/exec.cc",
        "../linux/src/file.cc",
        "../linux/src/lock.cc",
        "../linux/src/ports.cc",
        "../linux/src/pump/disk.cc",
        "../linux/src/pump/lanes.cc",
        "../linux/src/pump/log_file.cc",
        "../linux/src/pump/pump.cc",
        "../linux/src/pump/rotation.cc",
        "../linux/src/pump/scratch.cc",
        "../linux/src/pump/spool.cc",
        "../linux/src/pump/spool_writer.cc",
        "../linux/src/pump/turns.cc",
        "../linux/src/users.cc",
        "src/engine.cc",
        "src/identity.cc",
        "src/keepers.cc",
        "src/launch/plan.cc",
        "src/process_args.cc",
        "src/process_limits.cc",
        "src/proctable.cc",
        "src/proctable_look.cc",
        "src/sockets.cc",
        "src/spawner.cc",
        "src/usage.cc",
        "src/waiter.cc"
      ],
      # Ours before those of Linux: where both have a header, each addon takes its own.
      "include_dirs": ["src", "../shared", "../linux/src"],
      "defines": [
        "NAPI_VERSION=9",
        "NODE_ADDON_API_DISABLE_DEPRECATED",
        "NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS",
        "NODE_ADDON_API_CPP_EXCEPTIONS_ALL"
      ],
      "dependencies": ["<!(node -p \"require('node-addon-api').targets\"):node_addon_api_except", "hsu-launch"],
      "xcode_settings": {
        "GCC_ENABLE_CPP_EXCEPTIONS": "YES",
        "GCC_ENABLE_CPP_RTTI": "YES",
        "GCC_SYMBOLS_PRIVATE_EXTERN": "YES",
        "CLANG_CXX_LANGUAGE_STANDARD": "c++20",
        "CLANG_CXX_LIBRARY": "libc++",
        "MACOSX_DEPLOYMENT_TARGET": "11.0",
        "OTHER_CPLUSPLUSFLAGS": ["-include", "compat.h", "-Wall", "-Wextra"]
      }
    },
    {
      "target_name": "hsu-launch",
      "type": "executable",
      "sources": ["src/launch/main.cc", "src/launch/plan.cc"],
      "include_dirs": ["src", "../shared", "../linux/src"],
      "xcode_settings": {
        "CLANG_CXX_LANGUAGE_STANDARD": "c++20",
        "CLANG_CXX_LIBRARY": "libc++",
        "MACOSX_DEPLOYMENT_TARGET": "11.0"
      }
    }
  ]
}
