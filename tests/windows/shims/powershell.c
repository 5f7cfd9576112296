/* A stand-in for `powershell.exe`: it does what the lines of our scripts say, and refuses any other.

   UV_TEST_POWERSHELL chooses how it fails: `exit 0` and `exit 1` end without running the script, as
   after a profile with `exit`; `ConstrainedLanguage` is the language mode that it reports.
   UV_TEST_RELEASE is the command line that runs a release's own script, which is refused without it.

   As Windows PowerShell 5.1, it takes what follows `-ExecutionPolicy ByPass` for a command line, and
   writes in the code page of the console. */
#include <stdio.h>
#include <wchar.h>
#include <windows.h>

#define LENGTH 8192
#define REFUSED 97

static const wchar_t SPECIAL[] = L" \t'\"&()$;,{}@`\u2018\u2019\u201a\u201b\u201c\u201d\u201e";
static const wchar_t QUOTES[] = L"'\u2018\u2019\u201a\u201b";
static int last_exit_code;

static void print(const wchar_t *text) {
    char bytes[LENGTH];
    DWORD written;
    int length = WideCharToMultiByte(GetOEMCP(), 0, text, -1, bytes, sizeof bytes, NULL, NULL);
    WriteFile(GetStdHandle(STD_OUTPUT_HANDLE), bytes, length - 1, &written, NULL);
    WriteFile(GetStdHandle(STD_OUTPUT_HANDLE), "\r\n", 2, &written, NULL);
}

static int refuse(const wchar_t *line) {
    print(L"the stand-in for PowerShell does not know this line:");
    print(line);
    return REFUSED;
}

/* Return the position after `prefix`; NULL if the line begins otherwise. */
static const wchar_t *after(const wchar_t *line, const wchar_t *prefix) {
    size_t length = wcslen(prefix);
    return wcsncmp(line, prefix, length) == 0 ? line + length : NULL;
}

/* Read a literal in single quotes, and return the position after it; NULL for anything else. */
static const wchar_t *literal(const wchar_t *line, wchar_t *value) {
    if (line == NULL || *line != L'\'') return NULL;
    for (line++; *line != 0; line++) {
        if (wcschr(QUOTES, *line) != NULL) {
            if (line[1] == 0 || wcschr(QUOTES, line[1]) == NULL) break;
            line++; /* a doubled quote */
        }
        *value++ = *line;
    }
    *value = 0;
    return *line == L'\'' ? line + 1 : NULL;
}

static BOOL whole(const wchar_t *rest) { return rest != NULL && *rest == 0; }

/* Run a program with literals as arguments, quoted as 5.1 does: only where there is a blank. */
static int call(const wchar_t *rest) {
    static wchar_t command[LENGTH], value[LENGTH];
    STARTUPINFOW startup = {.cb = sizeof startup};
    PROCESS_INFORMATION process;
    DWORD code;
    command[0] = 0;
    while ((rest = literal(rest, value)) != NULL) {
        size_t length = wcslen(value);
        BOOL quoted = wcspbrk(value, L" \t") != NULL || value[0] == 0;
        if (command[0] == 0 && length > 4 && _wcsicmp(value + length - 4, L".ps1") == 0) {
            if (!GetEnvironmentVariableW(L"UV_TEST_RELEASE", command, LENGTH / 2)) return refuse(value);
        }
        if (command[0] != 0) wcscat(command, L" ");
        if (quoted) wcscat(command, L"\"");
        wcscat(command, value);
        if (quoted) wcscat(command, L"\"");
        if (*rest == 0) break;
        if (*rest++ != L' ') return refuse(L"& with something after a literal");
    }
    if (rest == NULL) return refuse(L"& without literals");
    if (!CreateProcessW(NULL, command, NULL, NULL, TRUE, 0, NULL, NULL, &startup, &process)) {
        print(L"The term is not recognized as the name of a cmdlet or an operable program.");
        return 0; /* an error that does not end a script */
    }
    WaitForSingleObject(process.hProcess, INFINITE);
    GetExitCodeProcess(process.hProcess, &code);
    last_exit_code = (int)code;
    return 0;
}

/* Do one line. Returns 0, or the code to fail with; sets `*ended` if the script ends here. */
static int perform(const wchar_t *line, BOOL *ended) {
    static wchar_t name[LENGTH], value[LENGTH];
    const wchar_t *rest;
    if ((rest = after(line, L"$global:LASTEXITCODE = ")) != NULL && (whole(after(rest, L"0")) || whole(after(rest, L"1")))) {
        last_exit_code = *rest - L'0';
        return 0;
    }
    if ((rest = after(line, L"$env:")) != NULL) {
        const wchar_t *equals = wcsstr(rest, L" = ");
        if (equals == NULL || !whole(literal(equals + 3, value))) return refuse(line);
        wcsncpy(name, rest, equals - rest);
        name[equals - rest] = 0;
        SetEnvironmentVariableW(name, value[0] == 0 ? NULL : value);
        return 0;
    }
    if ((rest = after(line, L"Set-Location -LiteralPath ")) != NULL) {
        if (!whole(literal(rest, value))) return refuse(line);
        return SetCurrentDirectoryW(value) ? 0 : refuse(line);
    }
    if ((rest = after(line, L"Write-Output ")) != NULL) {
        if (!whole(literal(rest, value))) return refuse(line);
        print(value);
        return 0;
    }
    if ((rest = after(line, L"& ")) != NULL) return call(rest);
    if (wcscmp(line, L"if ($LASTEXITCODE -ne 0) { exit $LASTEXITCODE }") == 0) {
        *ended = last_exit_code != 0;
        return last_exit_code;
    }
    *ended = TRUE;
    if (wcscmp(line, L"exit $LASTEXITCODE") == 0) return last_exit_code;
    if (wcscmp(line, L"exit 1") == 0) return 1;
    return refuse(line);
}

static int run(const wchar_t *path) {
    static char bytes[1 << 20];
    static wchar_t text[1 << 20];
    FILE *file;
    size_t length;
    BOOL ended = FALSE;
    wchar_t *line, *end;
    if (wcspbrk(path, SPECIAL) != NULL) {
        print(L"The term is not recognized as the name of a cmdlet, function, script file, or operable program.");
        return 1;
    }
    file = _wfopen(path, L"rb");
    if (file == NULL) return refuse(path);
    length = fread(bytes, 1, sizeof bytes - 1, file);
    fclose(file);
    bytes[length] = 0;
    if (length < 3 || memcmp(bytes, "\xef\xbb\xbf", 3) != 0) return refuse(L"a script without a byte order mark");
    MultiByteToWideChar(CP_UTF8, 0, bytes + 3, -1, text, sizeof text / sizeof *text);
    for (line = text; *line != 0; line = end + 2) {
        int code;
        end = wcsstr(line, L"\r\n");
        if (end == NULL) return refuse(line);
        *end = 0;
        code = perform(line, &ended);
        if (ended || code != 0) return code;
    }
    return 0;
}

int wmain(int count, wchar_t **arguments) {
    wchar_t mode[64] = L"";
    GetEnvironmentVariableW(L"UV_TEST_POWERSHELL", mode, sizeof mode / sizeof *mode);
    if (count == 5 && wcscmp(arguments[1], L"-NoProfile") == 0 && wcscmp(arguments[2], L"-NonInteractive") == 0 &&
        wcscmp(arguments[3], L"-Command") == 0 && wcscmp(arguments[4], L"$ExecutionContext.SessionState.LanguageMode") == 0) {
        print(wcscmp(mode, L"ConstrainedLanguage") == 0 ? mode : L"FullLanguage");
        return 0;
    }
    if (wcscmp(mode, L"exit 0") == 0) return 0;
    if (wcscmp(mode, L"exit 1") == 0) return 1;
    if (count == 4 && _wcsicmp(arguments[1], L"-ExecutionPolicy") == 0 && _wcsicmp(arguments[2], L"ByPass") == 0) return run(arguments[3]);
    return refuse(GetCommandLineW());
}
