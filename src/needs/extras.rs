//! Packages that no import names: libraries import them themselves, where a certain function, option or address is used.
//!
//! What a row adds is a module, as if the program imported it: its distribution follows from the same tables. A row counts
//! where the project imports one of its libraries. What no row knows shows when the job runs, in an exception that
//! [`named_by_error`] reads.

use super::packages;
use ruff_python_ast::{Expr, ExprCall};

/// A use of a library, and what it takes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Extra {
    /// Any of these must be imported.
    pub(super) libraries: &'static [&'static str],
    /// Modules that it imports then.
    pub(super) modules: &'static [&'static str],
}

/// A pattern of a table with what it stands for.
type Row = (&'static str, Extra);

const fn row(pattern: &'static str, libraries: &'static [&'static str], modules: &'static [&'static str]) -> Row {
    (pattern, Extra { libraries, modules })
}

const PANDAS: &[&str] = &["pandas"];
const PLOTTED: &[&str] = &["pandas", "geopandas", "xarray"];
const SQL: &[&str] =
    &["sqlalchemy", "flask_sqlalchemy", "sqlmodel", "alembic", "pandas", "polars", "databases", "sqlalchemy_utils"];
const GRAPHS: &[&str] = &["networkx"];
const ALGEBRA: &[&str] = &["numpy", "scipy"];

/// Names of methods and attributes, of whatever object they are. Sorted.
const METHODS: &[Row] = &[
    row("add_image", &["openpyxl"], &["PIL"]),
    row("asyncio", &["pytest"], &["pytest_asyncio"]),
    row("boxplot", PANDAS, &["matplotlib"]),
    row("cssselect", &["lxml"], &["cssselect"]),
    row("df", &["duckdb"], &["pandas"]),
    row("explore", &["geopandas"], &["folium", "mapclassify", "matplotlib"]),
    row("fetchdf", &["duckdb"], &["pandas"]),
    row("fetchnumpy", &["duckdb"], &["numpy"]),
    row("hist", PANDAS, &["matplotlib"]),
    row("make_image", &["qrcode"], &["PIL"]),
    row("numpy", &["torch"], &["numpy"]),
    row("pl", &["duckdb"], &["polars", "pyarrow"]),
    row("plot", &["polars"], &["altair"]),
    row("plot", PLOTTED, &["matplotlib"]),
    row("style", PANDAS, &["jinja2"]),
    row("style", &["polars"], &["great_tables"]),
    row("toPandas", &["pyspark"], &["pandas", "pyarrow"]),
    row("to_arrow", &["polars"], &["pyarrow"]),
    row("to_excel", PANDAS, &["openpyxl"]),
    row("to_feather", PLOTTED, &["pyarrow"]),
    row("to_hdf", PANDAS, &["tables"]),
    row("to_image", &["plotly"], &["kaleido"]),
    row("to_latex", PANDAS, &["jinja2"]),
    row("to_markdown", PANDAS, &["tabulate"]),
    row("to_netcdf", &["xarray"], &["netCDF4"]),
    row("to_numpy", &["polars"], &["numpy"]),
    row("to_orc", PANDAS, &["pyarrow"]),
    row("to_pandas", &["polars", "pyarrow"], &["pandas", "pyarrow"]),
    row("to_parquet", PLOTTED, &["pyarrow"]),
    row("to_xarray", PANDAS, &["xarray"]),
    row("to_xml", PANDAS, &["lxml"]),
    row("to_zarr", &["xarray"], &["zarr"]),
    row("write_delta", &["polars"], &["deltalake"]),
    row("write_excel", &["polars"], &["xlsxwriter"]),
    row("write_image", &["plotly"], &["kaleido"]),
];

/// Full names of functions and classes, and of modules, that are called or imported. Sorted.
const NAMES: &[Row] = &[
    row("dask.array", &["dask"], &["numpy"]),
    row("dask.dataframe", &["dask"], &["pandas", "pyarrow"]),
    row("dask.distributed", &["dask"], &["distributed"]),
    row("fastapi.File", &["fastapi"], &["multipart"]),
    row("fastapi.Form", &["fastapi"], &["multipart"]),
    row("fastapi.UploadFile", &["fastapi"], &["multipart"]),
    row("fastapi.responses.ORJSONResponse", &["fastapi"], &["orjson"]),
    row("fastapi.responses.UJSONResponse", &["fastapi"], &["ujson"]),
    row("fastapi.security.OAuth2PasswordRequestForm", &["fastapi"], &["multipart"]),
    row("fastapi.templating", &["fastapi"], &["jinja2"]),
    row("fastapi.testclient", &["fastapi"], &["httpx"]),
    row("hypothesis.extra.numpy", &["hypothesis"], &["numpy"]),
    row("hypothesis.extra.pandas", &["hypothesis"], &["pandas"]),
    row("lightgbm.LGBMClassifier", &["lightgbm"], &["sklearn"]),
    row("lightgbm.LGBMRanker", &["lightgbm"], &["sklearn"]),
    row("lightgbm.LGBMRegressor", &["lightgbm"], &["sklearn"]),
    row("networkx.adjacency_matrix", GRAPHS, ALGEBRA),
    row("networkx.adjacency_spectrum", GRAPHS, ALGEBRA),
    row("networkx.algebraic_connectivity", GRAPHS, ALGEBRA),
    row("networkx.circular_layout", GRAPHS, &["numpy"]),
    row("networkx.draw", GRAPHS, &["matplotlib"]),
    row("networkx.draw_circular", GRAPHS, &["matplotlib"]),
    row("networkx.draw_kamada_kawai", GRAPHS, &["matplotlib", "scipy"]),
    row("networkx.draw_networkx", GRAPHS, &["matplotlib"]),
    row("networkx.draw_networkx_edge_labels", GRAPHS, &["matplotlib"]),
    row("networkx.draw_networkx_edges", GRAPHS, &["matplotlib"]),
    row("networkx.draw_networkx_labels", GRAPHS, &["matplotlib"]),
    row("networkx.draw_networkx_nodes", GRAPHS, &["matplotlib"]),
    row("networkx.draw_planar", GRAPHS, &["matplotlib"]),
    row("networkx.draw_random", GRAPHS, &["matplotlib"]),
    row("networkx.draw_shell", GRAPHS, &["matplotlib"]),
    row("networkx.draw_spectral", GRAPHS, &["matplotlib", "scipy"]),
    row("networkx.draw_spring", GRAPHS, &["matplotlib"]),
    row("networkx.drawing.nx_agraph", GRAPHS, &["pygraphviz"]),
    row("networkx.drawing.nx_pydot", GRAPHS, &["pydot"]),
    row("networkx.eigenvector_centrality_numpy", GRAPHS, ALGEBRA),
    row("networkx.fiedler_vector", GRAPHS, ALGEBRA),
    row("networkx.from_numpy_array", GRAPHS, &["numpy"]),
    row("networkx.from_pandas_adjacency", GRAPHS, &["pandas"]),
    row("networkx.from_pandas_edgelist", GRAPHS, &["pandas"]),
    row("networkx.from_scipy_sparse_array", GRAPHS, ALGEBRA),
    row("networkx.hits", GRAPHS, ALGEBRA),
    row("networkx.kamada_kawai_layout", GRAPHS, ALGEBRA),
    row("networkx.katz_centrality_numpy", GRAPHS, ALGEBRA),
    row("networkx.laplacian_matrix", GRAPHS, ALGEBRA),
    row("networkx.laplacian_spectrum", GRAPHS, ALGEBRA),
    row("networkx.normalized_laplacian_matrix", GRAPHS, ALGEBRA),
    row("networkx.nx_agraph", GRAPHS, &["pygraphviz"]),
    row("networkx.nx_pydot", GRAPHS, &["pydot"]),
    row("networkx.pagerank", GRAPHS, ALGEBRA),
    row("networkx.planar_layout", GRAPHS, &["numpy"]),
    row("networkx.random_layout", GRAPHS, &["numpy"]),
    row("networkx.shell_layout", GRAPHS, &["numpy"]),
    row("networkx.spectral_layout", GRAPHS, ALGEBRA),
    row("networkx.spiral_layout", GRAPHS, &["numpy"]),
    row("networkx.spring_layout", GRAPHS, &["numpy"]),
    row("networkx.to_numpy_array", GRAPHS, &["numpy"]),
    row("networkx.to_pandas_adjacency", GRAPHS, &["pandas"]),
    row("networkx.to_pandas_edgelist", GRAPHS, &["pandas"]),
    row("networkx.to_scipy_sparse_array", GRAPHS, ALGEBRA),
    row("optuna.visualization", &["optuna"], &["plotly"]),
    row("optuna.visualization.matplotlib", &["optuna"], &["matplotlib"]),
    row("pandas.ArrowDtype", PANDAS, &["pyarrow"]),
    row("pandas.ExcelFile", PANDAS, &["openpyxl"]),
    row("pandas.ExcelWriter", PANDAS, &["openpyxl"]),
    row("pandas.HDFStore", PANDAS, &["tables"]),
    row("pandas.plotting", PANDAS, &["matplotlib"]),
    row("pandas.read_excel", PANDAS, &["openpyxl"]),
    row("pandas.read_feather", PANDAS, &["pyarrow"]),
    row("pandas.read_hdf", PANDAS, &["tables"]),
    row("pandas.read_html", PANDAS, &["lxml"]),
    row("pandas.read_orc", PANDAS, &["pyarrow"]),
    row("pandas.read_parquet", PANDAS, &["pyarrow"]),
    row("pandas.read_spss", PANDAS, &["pyreadstat"]),
    row("pandas.read_xml", PANDAS, &["lxml"]),
    row("passlib.hash.argon2", &["passlib"], &["argon2"]),
    row("passlib.hash.bcrypt", &["passlib"], &["bcrypt"]),
    row("plotly.express", &["plotly"], &["pandas"]),
    row("plotly.figure_factory", &["plotly"], &["numpy", "pandas", "scipy"]),
    row("polars.from_arrow", &["polars"], &["pyarrow"]),
    row("polars.from_pandas", &["polars"], &["pandas", "pyarrow"]),
    row("polars.read_database_uri", &["polars"], &["connectorx"]),
    row("polars.read_delta", &["polars"], &["deltalake"]),
    row("polars.read_excel", &["polars"], &["fastexcel"]),
    row("polars.read_ods", &["polars"], &["fastexcel"]),
    row("polars.scan_delta", &["polars"], &["deltalake"]),
    row("psycopg", &["psycopg"], &["psycopg_binary"]),
    row("pydantic.EmailStr", &["pydantic"], &["email_validator"]),
    row("pydantic.NameEmail", &["pydantic"], &["email_validator"]),
    row("pyspark.ml", &["pyspark"], &["numpy"]),
    row("pyspark.pandas", &["pyspark"], &["pandas", "pyarrow"]),
    row("qrcode.make", &["qrcode"], &["PIL"]),
    row("seaborn.clustermap", &["seaborn"], &["scipy"]),
    row("sklearn.calibration.CalibrationDisplay", &["sklearn"], &["matplotlib"]),
    row("sklearn.datasets.fetch_openml", &["sklearn"], &["pandas"]),
    row("sklearn.inspection.DecisionBoundaryDisplay", &["sklearn"], &["matplotlib"]),
    row("sklearn.inspection.PartialDependenceDisplay", &["sklearn"], &["matplotlib"]),
    row("sklearn.metrics.ConfusionMatrixDisplay", &["sklearn"], &["matplotlib"]),
    row("sklearn.metrics.DetCurveDisplay", &["sklearn"], &["matplotlib"]),
    row("sklearn.metrics.PrecisionRecallDisplay", &["sklearn"], &["matplotlib"]),
    row("sklearn.metrics.PredictionErrorDisplay", &["sklearn"], &["matplotlib"]),
    row("sklearn.metrics.RocCurveDisplay", &["sklearn"], &["matplotlib"]),
    row("sklearn.model_selection.LearningCurveDisplay", &["sklearn"], &["matplotlib"]),
    row("sklearn.model_selection.ValidationCurveDisplay", &["sklearn"], &["matplotlib"]),
    row("sklearn.tree.plot_tree", &["sklearn"], &["matplotlib"]),
    row("sqlalchemy.ext.asyncio", &["sqlalchemy"], &["greenlet"]),
    row("starlette.middleware.sessions", &["starlette", "fastapi"], &["itsdangerous"]),
    row("starlette.templating", &["starlette", "fastapi"], &["jinja2"]),
    row("starlette.testclient", &["starlette", "fastapi"], &["httpx"]),
    row("statsmodels.graphics", &["statsmodels"], &["matplotlib"]),
    row("sympy.plot", &["sympy"], &["matplotlib"]),
    row("sympy.plot_implicit", &["sympy"], &["matplotlib"]),
    row("sympy.plotting", &["sympy"], &["matplotlib"]),
    row("torch.from_numpy", &["torch"], &["numpy"]),
    row("torch.utils.tensorboard", &["torch"], &["tensorboard"]),
    row("tqdm.notebook", &["tqdm"], &["ipywidgets"]),
    row("xarray.open_dataset", &["xarray"], &["netCDF4"]),
    row("xarray.open_mfdataset", &["xarray"], &["dask", "netCDF4"]),
    row("xarray.open_zarr", &["xarray"], &["zarr"]),
    row("xgboost.XGBClassifier", &["xgboost"], &["sklearn"]),
    row("xgboost.XGBRanker", &["xgboost"], &["sklearn"]),
    row("xgboost.XGBRegressor", &["xgboost"], &["sklearn"]),
];

/// Names of arguments. Sorted.
const ARGUMENTS: &[Row] = &[
    row("as_frame", &["sklearn"], &["pandas"]),
    row("http2", &["httpx"], &["h2"]),
    row("trendline", &["plotly"], &["statsmodels"]),
];

/// Texts that are arguments of a call. Sorted.
const VALUES: &[Row] = &[
    row("ES256", &["jwt"], &["cryptography"]),
    row("ES384", &["jwt"], &["cryptography"]),
    row("EdDSA", &["jwt"], &["cryptography"]),
    row("PS256", &["jwt"], &["cryptography"]),
    row("RS256", &["jwt"], &["cryptography"]),
    row("RS384", &["jwt"], &["cryptography"]),
    row("RS512", &["jwt"], &["cryptography"]),
    row("WebAgg", &["matplotlib"], &["tornado"]),
    row("argon2", &["passlib"], &["argon2"]),
    row("bcrypt", &["passlib"], &["bcrypt"]),
    row("cairo", &["matplotlib"], &["cairo"]),
    row("calamine", PANDAS, &["python_calamine"]),
    row("fastparquet", PANDAS, &["fastparquet"]),
    row("module://ipympl.backend_nbagg", &["matplotlib"], &["ipympl"]),
    row("module://matplotlib_inline.backend_inline", &["matplotlib"], &["matplotlib_inline"]),
    row("numba", PANDAS, &["numba"]),
    row("numpy", &["sympy"], &["numpy"]),
    row("odf", PANDAS, &["odf"]),
    row("openpyxl", PANDAS, &["openpyxl"]),
    row("pyarrow", PANDAS, &["pyarrow"]),
    row("pyxlsb", PANDAS, &["pyxlsb"]),
    row("scipy", &["sympy"], &["scipy"]),
    row("spearman", PANDAS, &["scipy"]),
    row("string[pyarrow]", PANDAS, &["pyarrow"]),
    row("webagg", &["matplotlib"], &["tornado"]),
    row("xlrd", PANDAS, &["xlrd"]),
    row("xlsxwriter", PANDAS, &["xlsxwriter"]),
];

/// Parsers that are handed to functions by name: text, functions, and what it takes. Sorted.
const PARSERS: &[(&str, &[&str], Extra)] = &[
    ("bs4", &["pandas.read_html"], Extra { libraries: PANDAS, modules: &["bs4", "html5lib"] }),
    ("html5lib", BEAUTIFUL_SOUP, Extra { libraries: &["bs4", "pandas"], modules: &["bs4", "html5lib"] }),
    ("lxml", BEAUTIFUL_SOUP, Extra { libraries: &["bs4", "pandas"], modules: &["lxml"] }),
    ("lxml-html", BEAUTIFUL_SOUP, Extra { libraries: &["bs4"], modules: &["lxml"] }),
    ("lxml-xml", BEAUTIFUL_SOUP, Extra { libraries: &["bs4"], modules: &["lxml"] }),
    ("xml", BEAUTIFUL_SOUP, Extra { libraries: &["bs4"], modules: &["lxml"] }),
];
const BEAUTIFUL_SOUP: &[&str] = &["bs4.BeautifulSoup", "bs4.BeautifulStoneSoup", "pandas.read_html"];

/// How addresses start. Sorted.
const ADDRESSES: &[Row] = &[
    row("abfs", PANDAS, &["adlfs"]),
    row("bigquery", SQL, &["sqlalchemy_bigquery"]),
    row("clickhouse", SQL, &["clickhouse_sqlalchemy"]),
    row("cockroachdb", SQL, &["sqlalchemy_cockroachdb", "psycopg2"]),
    row("duckdb", SQL, &["duckdb_engine"]),
    row("gcs", PANDAS, &["gcsfs"]),
    row("gs", PANDAS, &["gcsfs"]),
    row("mariadb+pymysql", SQL, &["pymysql"]),
    row("mssql+pymssql", SQL, &["pymssql"]),
    row("mssql+pyodbc", SQL, &["pyodbc"]),
    row("mysql", SQL, &["MySQLdb"]),
    row("mysql+aiomysql", SQL, &["aiomysql"]),
    row("mysql+asyncmy", SQL, &["asyncmy"]),
    row("mysql+mysqlconnector", SQL, &["mysql.connector"]),
    row("mysql+mysqldb", SQL, &["MySQLdb"]),
    row("mysql+pymysql", SQL, &["pymysql"]),
    row("oracle+cx_oracle", SQL, &["cx_Oracle"]),
    row("oracle+oracledb", SQL, &["oracledb"]),
    row("postgres", SQL, &["psycopg2"]),
    row("postgresql", SQL, &["psycopg2"]),
    row("postgresql+asyncpg", SQL, &["asyncpg"]),
    row("postgresql+pg8000", SQL, &["pg8000"]),
    row("postgresql+psycopg", SQL, &["psycopg", "psycopg_binary"]),
    row("postgresql+psycopg2", SQL, &["psycopg2"]),
    row("redis", &["celery", "kombu"], &["redis"]),
    row("rediss", &["celery", "kombu"], &["redis"]),
    row("redshift+psycopg2", SQL, &["sqlalchemy_redshift", "psycopg2"]),
    row("s3", &["pandas", "polars", "dask"], &["s3fs"]),
    row("snowflake", SQL, &["snowflake.sqlalchemy"]),
    row("socks5", &["httpx"], &["socksio"]),
    row("socks5", &["requests"], &["socks"]),
    row("socks5h", &["requests"], &["socks"]),
    row("sqlite+aiosqlite", SQL, &["aiosqlite", "greenlet"]),
    row("trino", SQL, &["trino"]),
];

/// How texts end that are names of files. Sorted.
const ENDINGS: &[Row] = &[
    row("mp4", &["imageio"], &["imageio_ffmpeg"]),
    row("ods", PANDAS, &["odf"]),
    row("tif", &["imageio"], &["tifffile"]),
    row("tiff", &["imageio"], &["tifffile"]),
    row("xls", PANDAS, &["xlrd"]),
    row("xlsb", PANDAS, &["pyxlsb"]),
];

/// Calls `found` with what a call takes; `names` are the full names that its function may have.
pub(super) fn of_call(call: &ExprCall, names: &[String], mut found: impl FnMut(&'static Extra)) {
    for name in names {
        of_name(name, &mut found);
    }
    let top = |name: &String| name.split('.').next().unwrap_or_default().to_owned();
    let tops: Vec<_> = names.iter().map(top).collect();
    let mut function = &*call.func;
    while let Expr::Attribute(attribute) = function {
        for extra in rows(METHODS, attribute.attr.as_str()) {
            // What is known to be of another library is not of this one.
            if tops.is_empty() || tops.iter().any(|top| extra.libraries.contains(&&**top)) {
                found(extra);
            }
        }
        function = match &*attribute.value {
            Expr::Call(inner) => &*inner.func,
            Expr::Subscript(inner) => &*inner.value,
            value => value,
        };
    }
    for keyword in &call.arguments.keywords {
        if let Some(name) = &keyword.arg {
            rows(ARGUMENTS, name.as_str()).for_each(&mut found);
        }
    }
    // What is handed to print() is none of a library's.
    if names.is_empty() && call.func.is_name_expr() {
        return;
    }
    let values = call.arguments.args.iter().chain(call.arguments.keywords.iter().map(|keyword| &keyword.value));
    for text in values.flat_map(texts) {
        rows(VALUES, text).for_each(&mut found);
        let parsers = PARSERS
            .iter()
            .filter(|(name, functions, _)| *name == text && names.iter().any(|name| functions.contains(&&**name)));
        parsers.for_each(|(.., extra)| found(extra));
    }
}

/// Calls `found` with what a module, class or function takes, by its full name.
pub(super) fn of_name(name: &str, mut found: impl FnMut(&'static Extra)) {
    let mut prefix = name;
    loop {
        rows(NAMES, prefix).for_each(&mut found);
        match prefix.rsplit_once('.') {
            Some((parent, _)) => prefix = parent,
            None => return,
        }
    }
}

/// Calls `found` with what a text takes that is an address or the name of a file.
pub(super) fn of_text(text: &str, mut found: impl FnMut(&'static Extra)) {
    if let Some((scheme, _)) = text.split_once("://") {
        rows(ADDRESSES, scheme).for_each(&mut found);
    }
    if let Some((_, ending)) = text.rsplit_once('.') {
        rows(ENDINGS, ending).for_each(&mut found);
    }
}

/// Returns the literals that an argument is, or a list of them.
fn texts(value: &Expr) -> impl Iterator<Item = &str> {
    let several = match value {
        Expr::List(list) => &*list.elts,
        Expr::Tuple(tuple) => &*tuple.elts,
        one => std::slice::from_ref(one),
    };
    several.iter().filter_map(|one| one.as_string_literal_expr().map(|text| text.value.to_str()))
}

fn rows<'t>(table: &'static [Row], pattern: &'t str) -> impl Iterator<Item = &'static Extra> + use<'t> {
    let start = table.partition_point(|(known, _)| *known < pattern);
    table[start..].iter().take_while(move |(known, _)| *known == pattern).map(|(_, extra)| extra)
}

/// Returns the distribution that an exception asks for, if it names one that is well known: the exception of an import
/// that failed, or of a library that does without a package until it is needed.
pub(crate) fn named_by_error(kind: &str, message: &str) -> Option<String> {
    let message = &message[..message.floor_char_boundary(MESSAGE_BYTES_MAX)];
    let kind = kind.rsplit('.').next().unwrap_or(kind);
    let known = |name: &str| packages::distribution_of(name).distribution.or_else(|| distribution(name));
    let is_import = matches!(kind, "ImportError" | "ModuleNotFoundError");
    if let Some(module) = within(message, "No module named ").filter(|_| is_import) {
        return match module.split('.').next().unwrap_or_default() {
            "pyaudioop" | "audioop" => Some("audioop-lts".to_owned()),
            "distutils" => Some("setuptools".to_owned()),
            _ => known(module),
        };
    }
    if kind == "PackageNotFoundError" {
        return distribution(message.split_once("metadata was found for ")?.1);
    }
    if kind == "DistributionNotFound" {
        return within(message, "The ").and_then(distribution);
    }
    if kind == "FeatureNotFound" {
        let (_, parser) = message.split_once("requested: ")?;
        return match parser.split(['.', ',', ' ']).next()? {
            "xml" | "lxml" | "lxml-xml" | "lxml-html" => Some("lxml".to_owned()),
            "html5lib" => Some("html5lib".to_owned()),
            _ => None,
        };
    }
    if message.contains("Numpy is not available") {
        return Some("numpy".to_owned());
    }
    let by_command = || {
        COMMANDS.iter().find_map(|phrase| {
            let mut words = message.split_once(phrase)?.1.split_whitespace().map(trimmed);
            words.find(|word| !word.starts_with('-')).and_then(with_extras)
        })
    };
    // Only an exception of an import is about packages whatever its words are, unless it is about what one does not have.
    if !is_import || message.starts_with("cannot import name ") {
        return by_command();
    }
    let first = |words: &mut dyn Iterator<Item = &str>| {
        words.map(trimmed).filter(|word| !FILLERS.contains(&&*word.to_ascii_lowercase())).take(3).find_map(known)
    };
    let after = |phrase: &&str| first(&mut message.split_once(*phrase)?.1.split_whitespace());
    let before = |phrase: &&str| first(&mut message.split_once(*phrase)?.0.split_whitespace().rev());
    ["Missing optional dependency ", "tried using: "]
        .iter()
        .find_map(|phrase| within(message, phrase).and_then(known))
        .or_else(|| AFTER_FIRST.iter().find_map(after))
        .or_else(|| BEFORE.iter().find_map(before))
        .or_else(by_command)
        .or_else(|| AFTER.iter().find_map(after))
}

/// Commands that install what follows.
const COMMANDS: &[&str] =
    &["pip install ", "pip3 install ", "conda install ", "uv add ", "uv pip install ", "poetry add "];
/// What stands in front of a package that is missing, without doubt.
const AFTER_FIRST: &[&str] = &["Use pip or conda to install ", "mport "];
/// What stands behind a package that is missing.
const BEFORE: &[&str] = &[
    " not found",
    " not installed",
    "n't installed",
    " to be installed",
    " must be installed",
    " should be installed",
    " have been installed",
    " is required",
    " are required",
    " is needed",
    " is missing",
    " not available",
    " unavailable",
    " not be imported",
    " cannot be imported",
    "n't be imported",
    " is a required dependency",
    " is an optional dependency",
];
/// What stands in front of a package that is missing, or of one that misses it.
const AFTER: &[&str] = &[
    "lease install ",
    "nstall ",
    "nstalling ",
    "requires ",
    "require ",
    "needs ",
    " need ",
    " depends on ",
    "issing dependency ",
    "issing dependency: ",
    "issing dependencies: ",
    "issing required dependency ",
    "issing required dependencies ",
    " missing ",
    " without ",
];
/// Words of prose around the name of a package.
const FILLERS: &[&str] = &[
    "",
    "a",
    "an",
    "and",
    "are",
    "be",
    "by",
    "conda",
    "could",
    "dependency",
    "dependencies",
    "extra",
    "first",
    "have",
    "is",
    "it",
    "its",
    "library",
    "libraries",
    "module",
    "modules",
    "must",
    "need",
    "of",
    "optional",
    "or",
    "package",
    "packages",
    "pip",
    "please",
    "python",
    "required",
    "should",
    "the",
    "to",
    "version",
    "with",
    "you",
];

/// Of a message that is read.
const MESSAGE_BYTES_MAX: usize = 4096;

/// Returns the text in quotes right after a phrase.
fn within<'m>(message: &'m str, phrase: &str) -> Option<&'m str> {
    let (_, rest) = message.split_once(phrase)?;
    let quote = rest.chars().next().filter(|quote| ['\'', '"', '`'].contains(quote))?;
    rest[1..].split(quote).next()
}

/// Returns a word of prose without what is around it.
fn trimmed(word: &str) -> &str {
    let word = word.trim_start_matches(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_'));
    word.trim_end_matches(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_' || c == '['))
}

/// Returns the well-known distribution that is asked for by its own name, with the extras behind that.
fn with_extras(word: &str) -> Option<String> {
    let name = distribution(word)?;
    let is_name = |extra: &&str| extra.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    let extras = word.split_once('[').and_then(|(_, rest)| rest.split(']').next()).unwrap_or_default();
    let extras: Vec<_> = extras.split(',').map(str::trim).filter(|extra| !extra.is_empty()).filter(is_name).collect();
    Some(if extras.is_empty() { name } else { format!("{name}[{}]", extras.join(",")) })
}

/// Returns the well-known distribution that is asked for by its own name.
fn distribution(word: &str) -> Option<String> {
    let name = word.split(['[', '=', '<', '>', '!', '~']).next()?.to_ascii_lowercase().replace(['_', '.'], "-");
    packages::is_known(&name).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_sorted_and_lead_to_known_distributions() {
        for table in [METHODS, NAMES, ARGUMENTS, VALUES, ADDRESSES, ENDINGS] {
            assert!(table.is_sorted_by(|(a, _), (b, _)| a <= b), "{:?}", table.first());
            for (pattern, extra) in table {
                check(pattern, extra);
            }
        }
        for (pattern, _, extra) in PARSERS {
            check(pattern, extra);
        }
    }

    fn check(pattern: &str, extra: &Extra) {
        for module in extra.libraries.iter().chain(extra.modules) {
            let distribution = packages::distribution_of(module).distribution;
            assert!(distribution.is_some_and(|name| packages::is_known(&name)), "{pattern}: {module}");
        }
    }

    #[test]
    fn exceptions_name_what_is_missing() {
        for (kind, message, distribution) in [
            ("ModuleNotFoundError", "No module named 'openpyxl'", "openpyxl"),
            ("PackageNotFoundError", "No package metadata was found for PyYAML", "pyyaml"),
            (
                "pkg_resources.DistributionNotFound",
                "The 'requests' distribution was not found and is required by the application",
                "requests",
            ),
            ("ImportError", "Run `pip install 'uvicorn[standard,x]'`.", "uvicorn[standard,x]"),
            ("RuntimeError", "it wants httpx: pip install httpx[http2]", "httpx[http2]"),
            ("ModuleNotFoundError", "No module named 'yaml.reader'", "pyyaml"),
            ("ModuleNotFoundError", "No module named 'pyaudioop'", "audioop-lts"),
            (
                "ImportError",
                "Missing optional dependency 'openpyxl'.  Use pip or conda to install openpyxl.",
                "openpyxl",
            ),
            ("ImportError", "`Import tabulate` failed.  Use pip or conda to install the tabulate package.", "tabulate"),
            (
                "ImportError",
                "Unable to find a usable engine; tried using: 'pyarrow', 'fastparquet'.\nA suitable version of pyarrow or fastparquet is required for parquet support.",
                "pyarrow",
            ),
            (
                "ImportError",
                "matplotlib is required for plotting when the default backend \"matplotlib\" is selected.",
                "matplotlib",
            ),
            ("ImportError", "lxml not found, please install it", "lxml"),
            ("ImportError", "html5lib not found, please install it", "html5lib"),
            (
                "bs4.exceptions.FeatureNotFound",
                "Couldn't find a tree builder with the features you requested: lxml-xml. Do you need to install a parser library?",
                "lxml",
            ),
            ("ImportError", "Plotly express requires numpy to be installed.", "numpy"),
            ("ImportError", "email-validator is not installed, run `pip install 'pydantic[email]'`", "email-validator"),
            ("ValueError", "Image export requires the kaleido package:\n\n    $ pip install -U kaleido\n", "kaleido"),
            (
                "RuntimeError",
                "Form data requires \"python-multipart\" to be installed. \nYou can install \"python-multipart\" with: \n\npip install python-multipart\n",
                "python-multipart",
            ),
            ("ImportError", "sklearn needs to be installed in order to use this module", "scikit-learn"),
            ("RuntimeError", "Numpy is not available", "numpy"),
            ("ImportError", "Please install the scikit-learn package", "scikit-learn"),
            ("ImportError", "You need it: pip install -U  scikit-image", "scikit-image"),
            ("ImportError", "Install tabulate", "tabulate"),
            (
                "ImportError",
                "`Import tabulate` failed.  Use pip, conda, or your preferred package management tool to install the tabulate package.",
                "tabulate",
            ),
            ("ImportError", "Could not import PIL.Image. The use of `load_img` requires PIL.", "pillow"),
            ("ImportError", "Unable to import required library 'requests'", "requests"),
            ("ImportError", "Failed to import the openpyxl package", "openpyxl"),
            ("ImportError", "The 'lxml' package is required to parse XML", "lxml"),
            ("ImportError", "The lxml library could not be imported", "lxml"),
            (
                "ModuleNotFoundError",
                "required package 'xlsxwriter' not found.\nPlease install using the command `pip install xlsxwriter`.",
                "xlsxwriter",
            ),
            ("ImportError", "PyYAML isn't installed", "pyyaml"),
            ("ImportError", "To use the async client you need to install the `httpx` package", "httpx"),
            ("ImportError", "You must install pydot (`pip install pydot`) for plot_model to work", "pydot"),
            ("ImportError", "this feature needs the python library networkx", "networkx"),
            ("ImportError", "Missing dependency: sympy", "sympy"),
            ("ImportError", "Missing required dependencies ['numpy', 'pytz']", "numpy"),
            ("ImportError", "h5py is an optional dependency", "h5py"),
            ("ImportError", "Plotting is not possible without matplotlib", "matplotlib"),
            ("ImportError", "For this, consider installing seaborn", "seaborn"),
            ("ImportError", "scipy and numpy are required", "numpy"),
            ("ImportError", "SciPy 1.12 or greater is required to provide the function", "scipy"),
            ("ImportError", "pyarrow>=13.0.0 is required for ArrowDtype", "pyarrow"),
            (
                "ImportError",
                "numbagg >= 0.2.1 is required for rolling_exp but currently numbagg is not installed",
                "numbagg",
            ),
            ("ImportError", "opening tutorial dataset x requires either scipy or netCDF4 to be installed.", "netcdf4"),
            ("ImportError", "Drawing requires installation of Networkx", "networkx"),
            ("ImportError", "The Python Imaging Library (PIL) is required to load data from jpeg files.", "pillow"),
            ("ImportError", "To support decoding pdfs, please install 'pdfplumber'.", "pdfplumber"),
            ("ImportError", "read_dot() requires pygraphviz http://pygraphviz.github.io/", "pygraphviz"),
            (
                "ImportError",
                "Using http2=True, but the 'h2' package is not installed. Make sure to install httpx using `pip install httpx[http2]`.",
                "h2",
            ),
            (
                "ImportError",
                "Using 'BrotliDecoder', but neither of the 'brotlicffi' or 'brotli' packages have been installed.",
                "brotli",
            ),
            (
                "ImportError",
                "The module 'x' requires the optional dependency 'Cartopy'.To use this module, please install 'Cartopy'.",
                "cartopy",
            ),
        ] {
            assert_eq!(named_by_error(kind, message).as_deref(), Some(distribution), "{message}");
        }
    }

    #[test]
    fn other_exceptions_name_nothing() {
        for (kind, message) in [
            ("ModuleNotFoundError", "No module named 'utils'"),
            ("ModuleNotFoundError", "No module named 'surely_nobodys'"),
            ("ModuleNotFoundError", "No module named "),
            ("ImportError", "cannot import name 'x' from 'y'"),
            ("ImportError", "cannot import name 'requests' from 'own' (/work/own.py)"),
            ("ImportError", "cannot import name 'x' from partially initialized module 'numpy'"),
            ("ImportError", "attempted relative import with no known parent package"),
            ("ImportError", "this is required"),
            ("ImportError", "pip install utils"),
            ("ImportError", "pip install git+https://example.com/x"),
            ("ImportError", ""),
            ("KeyError", "No module named 'numpy'"),
            ("ValueError", "numpy is required"),
            ("RuntimeError", "matplotlib is not installed"),
            ("bs4.FeatureNotFound", "you requested: "),
        ] {
            assert_eq!(named_by_error(kind, message), None, "{message}");
        }
        assert_eq!(named_by_error("ImportError", &"é".repeat(MESSAGE_BYTES_MAX)), None);
    }
}
