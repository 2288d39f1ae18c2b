-- wrk script: each request is the next line of a file, never the same one twice.
-- Environment: BENCH_FILE (lines "signature<TAB>body" or "cookie:name=value<TAB>body"), BENCH_PATH, BENCH_TYPE, BENCH_COOKIE, BENCH_THREADS.
local number = 0

function setup(thread)
    -- A name of its own: in what runs in the thread, "number" is the local above, 0 for each.
    thread:set("mine", number)
    number = number + 1
end

function init(args)
    local threads = tonumber(os.getenv("BENCH_THREADS"))
    requests, at = {}, 0
    local index = 0
    for line in io.lines(os.getenv("BENCH_FILE")) do
        if index % threads == mine then
            local tab = line:find("\t", 1, true)
            local headers = { ["Content-Type"] = os.getenv("BENCH_TYPE"), ["User-Agent"] = "Mozilla/5.0 (X11)" }
            local first = line:sub(1, tab - 1)
            if first:sub(1, 7) == "cookie:" then
                headers["Cookie"] = first:sub(8)
            elseif tab > 1 then
                headers["Stripe-Signature"] = first
            end
            if os.getenv("BENCH_COOKIE") then headers["Cookie"] = os.getenv("BENCH_COOKIE") end
            requests[#requests + 1] = wrk.format("POST", os.getenv("BENCH_PATH"), headers, line:sub(tab + 1))
        end
        index = index + 1
    end
end

function request()
    at = at + 1
    if at > #requests then
        ran_out = true
        at = 1
    end
    return requests[at]
end
