fn main() {
    let p = pyexec::Pyexec::builder().page_reuse(std::env::var("NOREUSE").is_err()).build().unwrap();
    let arg = std::env::args().nth(1).unwrap();
    let code = std::fs::read_to_string(&arg).unwrap_or(arg);
    let n: usize = std::env::args().nth(2).map(|n| n.parse().unwrap()).unwrap_or(1);
    let rt = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut times = vec![];
    rt.block_on(async {
        for i in 0..n {
            let t = std::time::Instant::now();
            let o = p.run(pyexec::Job::code(code.clone())).await.unwrap();
            times.push(t.elapsed());
            if i == 0 { print!("{}", o.stdout.text); eprint!("{}", o.stderr.text); eprintln!("{:?} {:?}", o.ending, o.usage); }
        }
    });
    times.sort();
    eprintln!("p50 {:?} p99 {:?} min {:?}", times[n / 2], times[n * 99 / 100], times[0]);
}
